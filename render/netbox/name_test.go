package netbox

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"leaf-01":                 "leaf-01",
		"Leaf 01":                 "leaf-01",
		"SPINE_02":                "spine-02",
		"esx-07.prod":             "esx-07.prod",
		"a--b":                    "a--b",
		"web - db":                "web-db",
		"  rack 3 / leaf (old)  ": "rack-3-leaf-old",
		"../../x":                 "x",
		"a\nb":                    "a-b",
		"..":                      "",
		"---":                     "",
		"":                        "",
		"Zürich":                  "z-rich",
		"Leaf.01.":                "leaf.01",
	} {
		if got := slug(given); got != want {
			t.Errorf("slug(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestSlugIsAFixedPoint(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.String().Draw(t, "name")
		once := slug(given)
		if twice := slug(once); twice != once {
			t.Errorf("slug(%q) = %q, and slug of that is %q", given, once, twice)
		}
		if strings.Trim(once, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			t.Errorf("slug(%q) = %q has characters that no name has", given, once)
		}
		// Where it yields a proper name at all, a proper name is left alone.
		if validName(given) && once != given {
			t.Errorf("slug(%q) = %q changes a name that is fine", given, once)
		}
	})
}

func TestNaturalOrder(t *testing.T) {
	t.Parallel()
	want := []string{"E1/1", "E1/1/1", "E1/1/2", "E1/1/10", "E1/2", "E1/5", "E1/11", "enp2s1", "enp2s10", "enp10s1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, natural)
	if !slices.Equal(got, want) {
		t.Errorf("natural order is %q, want %q", got, want)
	}
}

func TestNaturalOrderIsTotal(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[a-c01]{0,4}(/[0-9]{1,3}){0,2}`)
	sign := func(n int) int { return min(1, max(-1, n)) }
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c")
		if sign(natural(a, b)) != -sign(natural(b, a)) {
			t.Errorf("natural(%q, %q) = %d and the other way round %d", a, b, natural(a, b), natural(b, a))
		}
		if (natural(a, b) == 0) != (a == b) {
			t.Errorf("natural(%q, %q) = %d", a, b, natural(a, b))
		}
		if natural(a, b) <= 0 && natural(b, c) <= 0 && natural(a, c) > 0 {
			t.Errorf("%q <= %q <= %q, but not %q <= %q", a, b, c, a, c)
		}
	})
}

func TestPortName(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"enp2s1":       "enp2s1",
		"NIC 1 Port 2": "NIC-1-Port-2",
		"Eth0/1":       "Eth0/1",
		" eth0 ":       "eth0",
	} {
		if got := portName(given); got != want {
			t.Errorf("portName(%q) = %q, want %q", given, got, want)
		}
	}
}
