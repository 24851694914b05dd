package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	nb "github.com/netbox-community/go-netbox/v4"

	"hedgehog-gitops/render/netbox"
)

// BootstrapOptions say what to prepare.
type BootstrapOptions struct {
	// Tag is the slug of the tag on what is Hedgehog's; "hedgehog" by default.
	Tag string
	// DryRun finds out what there is to do and writes nothing.
	DryRun bool
}

// Action is something that [Bootstrap] does, or would do in a dry run.
type Action struct {
	// Verb is create or update.
	Verb string
	// Model is NetBox's: extras.customfield.
	Model string
	// Name is the name or the slug of the record.
	Name string
	// Detail says what is special about it, or what is added to it.
	Detail string
}

// String returns the action on one line.
func (a Action) String() string {
	text := a.Verb + " " + a.noun() + " " + a.Name
	if a.Detail != "" {
		text += ": " + a.Detail
	}
	return text
}

func (a Action) noun() string {
	switch a.Model {
	case modelField:
		return "custom field"
	case modelChoiceSet:
		return "choice set"
	case modelTag:
		return "tag"
	case modelRole:
		return "IPAM role"
	}
	return a.Model
}

const (
	changeMessage = "hedgehog-gitops bootstrap"
	roleDHCP      = "dhcp"
	colorTag      = "9e5a1c"
)

// Bootstrap creates in NetBox what the mapping needs: custom fields and their
// choices, the tag, and the IPAM role of DHCP ranges. What is there already is
// kept as people have it; missing choices and object types are added. A second
// run does nothing.
//
// It looks at everything before it writes anything, and refuses when a custom
// field of the same name is another. Actions are what was done, or in a dry run
// what there is to do; after an error, what was done before it.
func Bootstrap(ctx context.Context, c *Client, o BootstrapOptions) ([]Action, error) {
	o.Tag = cmp.Or(o.Tag, "hedgehog")
	if !regexp.MustCompile(`^[-a-zA-Z0-9_]+$`).MatchString(o.Tag) || len(o.Tag) > 100 {
		return nil, &Error{Doing: "preparing NetBox", Detail: fmt.Sprintf("%q cannot be the slug of a tag", o.Tag), Hint: "letters, digits, - and _, at most 100"}
	}
	r := newReader(c)
	var err error
	if r.version, _, err = c.netboxVersion(ctx); err != nil {
		return nil, err
	}
	have, err := r.prepared(ctx)
	if err != nil {
		return nil, err
	}
	steps, err := r.plan(have, o)
	if err != nil {
		return nil, err
	}
	var actions []Action
	ids := map[string]key{} // of choice sets made on the way
	for _, step := range steps {
		if !o.DryRun {
			if err := step.do(ctx, ids); err != nil {
				return actions, err
			}
		}
		actions = append(actions, step.actions...)
	}
	if o.DryRun {
		return actions, nil
	}
	// NetBox may hide a field until a background job has run: look at all.
	fields, err := r.customFields(ctx)
	if err != nil {
		return actions, err
	}
	return actions, inactive(fields)
}

// prepared is what of all this is in NetBox.
type prepared struct {
	fields     []definition
	choiceSets []choiceSet
	tags       []tag
	roles      []roleWire
}

type choiceSet struct {
	keyed
	Name    string     `json:"name"`
	Choices [][]string `json:"extra_choices"`
}

type tag struct {
	keyed
	Name        string   `json:"name"`
	Slug        string   `json:"slug"`
	ObjectTypes []string `json:"object_types"`
}

func (r *reader) prepared(ctx context.Context) (p prepared, err error) {
	tasks := newTasks(ctx)
	tasks.run(func(ctx context.Context) (err error) {
		p.fields, err = r.customFields(ctx)
		return err
	})
	tasks.run(func(ctx context.Context) (err error) {
		p.choiceSets, err = everything[choiceSet](ctx, r, modelChoiceSet)
		return err
	})
	tasks.run(func(ctx context.Context) (err error) {
		p.tags, err = everything[tag](ctx, r, modelTag)
		return err
	})
	tasks.run(func(ctx context.Context) (err error) {
		p.roles, err = everything[roleWire](ctx, r, modelRole)
		return err
	})
	return p, tasks.wait()
}

// everything reads all rows of a model, in the order of their ids.
func everything[W interface{ id() key }](ctx context.Context, r *reader, model string) ([]W, error) {
	var mu sync.Mutex
	var all []W
	err := readAll(ctx, r, r.sources[model], nil, nil, func(rows []W) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, rows...)
		return nil
	})
	slices.SortFunc(all, func(a, b W) int { return cmp.Compare(a.id(), b.id()) })
	return all, err
}

// step is one write, and what it comes to.
type step struct {
	actions []Action
	do      func(ctx context.Context, choiceSets map[string]key) error
}

// plan compares what is there with what should be.
func (r *reader) plan(have prepared, o BootstrapOptions) ([]step, error) {
	var refused []string
	fields := map[string]definition{}
	for _, d := range have.fields {
		fields[d.Name] = d
	}
	setsByID, setsByName := map[key]choiceSet{}, map[string]choiceSet{}
	for _, s := range have.choiceSets {
		setsByID[s.ID], setsByName[s.Name] = s, s
	}
	var newSets, addChoices, newFields, addTypes []Action
	var setRequests []nb.WritableCustomFieldChoiceSetRequest
	var setPatches, fieldPatches []map[string]any
	var create []netbox.CustomField
	known := map[string]key{}

	for _, want := range netbox.CustomFields() {
		field, exists := fields[want.Name]
		if exists {
			if problem := mismatch(want, field); problem != "" {
				refused = append(refused, problem)
				continue
			}
		}
		if want.Type == netbox.FieldSelect {
			set, ok := setsByName[want.Name]
			if exists { // it may use a set of another name
				set, ok = setsByID[field.ChoiceSet.ID]
			}
			switch {
			case ok:
				known[want.Name] = set.ID
				if missing := missingChoices(want.Choices, set.Choices); len(missing) > 0 {
					addChoices = append(addChoices, Action{"update", modelChoiceSet, set.Name, "add " + strings.Join(missing, ", ")})
					choices := slices.Clone(set.Choices)
					for _, value := range missing {
						choices = append(choices, []string{value, value})
					}
					setPatches = append(setPatches, map[string]any{"id": set.ID, "extra_choices": choices, "changelog_message": changeMessage})
				}
			case exists:
				return nil, &Error{Doing: "preparing NetBox", Detail: "NetBox does not show the choice set of the custom field " + want.Name, Hint: "give the token's user the view permission on choice sets, without constraints"}
			default:
				newSets = append(newSets, Action{"create", modelChoiceSet, want.Name, strings.Join(want.Choices, ", ")})
				request := nb.NewWritableCustomFieldChoiceSetRequest(want.Name, pairs(want.Choices))
				request.SetDescription("Values of the custom field " + want.Name)
				request.AdditionalProperties = map[string]any{"changelog_message": changeMessage}
				setRequests = append(setRequests, *request)
			}
		}
		if !exists {
			newFields = append(newFields, Action{"create", modelField, want.Name, want.Type + " on " + strings.Join(want.ObjectTypes, ", ")})
			create = append(create, want)
			continue
		}
		if missing := without(want.ObjectTypes, field.ObjectTypes); len(missing) > 0 {
			addTypes = append(addTypes, Action{"update", modelField, want.Name, "add to " + strings.Join(missing, ", ")})
			fieldPatches = append(fieldPatches, map[string]any{
				"id": field.ID, "object_types": slices.Concat(field.ObjectTypes, missing), "changelog_message": changeMessage})
		}
	}
	if len(refused) > 0 {
		return nil, &Error{
			Doing: "preparing NetBox", Detail: strings.Join(refused, "; "),
			Hint: "nothing was written: rename or delete the field in NetBox if nobody uses it, then run bootstrap again",
		}
	}
	if err := inactive(have.fields); err != nil {
		return nil, err
	}

	c := r.client
	var steps []step
	post := func(actions []Action, doing, path string, body func(map[string]key) any, then func([]made, map[string]key)) {
		steps = append(steps, step{actions, func(ctx context.Context, ids map[string]key) error {
			var answer []made
			if err := c.write(ctx, doing, &answer, c.raw(http.MethodPost, path, body(ids))); err != nil {
				return err
			}
			if len(answer) != len(actions) {
				return &Error{Doing: doing, Detail: fmt.Sprintf("NetBox answered with %d records instead of %d", len(answer), len(actions)), Hint: "run bootstrap again: it looks at what is there first"}
			}
			if then != nil {
				then(answer, ids)
			}
			return nil
		}})
	}
	patch := func(actions []Action, doing, path string, body any) {
		steps = append(steps, step{actions, func(ctx context.Context, _ map[string]key) error {
			return c.write(ctx, doing, nil, c.raw(http.MethodPatch, path, body))
		}})
	}
	if len(newSets) > 0 {
		post(newSets, "creating choice sets", "/api/extras/custom-field-choice-sets/", func(map[string]key) any { return setRequests },
			func(answer []made, ids map[string]key) {
				for _, m := range answer {
					ids[m.Name] = m.ID
				}
			})
	}
	if len(addChoices) > 0 {
		patch(addChoices, "adding choices", "/api/extras/custom-field-choice-sets/", setPatches)
	}
	if len(newFields) > 0 {
		post(newFields, "creating custom fields", "/api/extras/custom-fields/", func(ids map[string]key) any {
			requests := make([]nb.WritableCustomFieldRequest, len(create))
			for i, field := range create {
				requests[i] = r.request(field, cmp.Or(known[field.Name], ids[field.Name]))
			}
			return requests
		}, nil)
	}
	if len(addTypes) > 0 {
		patch(addTypes, "adding object types to custom fields", "/api/extras/custom-fields/", fieldPatches)
	}

	at := slices.IndexFunc(have.tags, func(t tag) bool { return t.Slug == o.Tag })
	switch {
	case at < 0:
		steps = append(steps, step{[]Action{{"create", modelTag, o.Tag, "on what is Hedgehog's"}}, func(ctx context.Context, _ map[string]key) error {
			request := nb.NewTagRequest(o.Tag, o.Tag)
			request.SetColor(colorTag)
			request.SetDescription("VLAN groups, container prefixes and route targets that are Hedgehog's")
			request.AdditionalProperties = map[string]any{"changelog_message": changeMessage}
			return c.write(ctx, "creating the tag "+o.Tag, nil, func(ctx context.Context) error {
				_, _, err := c.api.ExtrasAPI.ExtrasTagsCreate(ctx).TagRequest(*request).Execute()
				return onlyOurs(err)
			})
		}})
	case len(have.tags[at].ObjectTypes) > 0: // restricted to some
		t := have.tags[at]
		if missing := without([]string{modelVLANGroup, modelPrefix, modelTarget}, t.ObjectTypes); len(missing) > 0 {
			patch([]Action{{"update", modelTag, o.Tag, "add to " + strings.Join(missing, ", ")}}, "adding object types to the tag "+o.Tag, "/api/extras/tags/",
				[]map[string]any{{"id": t.ID, "object_types": slices.Concat(t.ObjectTypes, missing), "changelog_message": changeMessage}})
		}
	}
	if !slices.ContainsFunc(have.roles, func(r roleWire) bool { return r.Slug == roleDHCP }) {
		steps = append(steps, step{[]Action{{"create", modelRole, roleDHCP, "of IP ranges that a DHCP server hands out"}}, func(ctx context.Context, _ map[string]key) error {
			request := nb.NewRoleRequest("DHCP", roleDHCP)
			request.SetDescription("IP ranges that a DHCP server hands out")
			request.AdditionalProperties = map[string]any{"changelog_message": changeMessage}
			return c.write(ctx, "creating the IPAM role "+roleDHCP, nil, func(ctx context.Context) error {
				_, _, err := c.api.IpamAPI.IpamRolesCreate(ctx).RoleRequest(*request).Execute()
				return onlyOurs(err)
			})
		}})
	}
	return steps, nil
}

// made is a record that NetBox created.
type made struct {
	keyed
	Name string `json:"name"`
}

// request is the body that creates a custom field.
func (r *reader) request(field netbox.CustomField, choices key) nb.WritableCustomFieldRequest {
	request := nb.NewWritableCustomFieldRequest(field.ObjectTypes, field.Name)
	request.SetType(nb.PatchedWritableCustomFieldRequestType(field.Type))
	request.SetLabel(field.Label)
	request.SetGroupName(netbox.FieldGroup)
	request.SetDescription(field.Description)
	if field.ValidationRegex != "" {
		request.SetValidationRegex(field.ValidationRegex)
	}
	if field.FilterLogic != "" {
		request.SetFilterLogic(nb.PatchedWritableCustomFieldRequestFilterLogic(field.FilterLogic))
	}
	if field.RelatedObjectType != "" {
		request.SetRelatedObjectType(field.RelatedObjectType)
	}
	request.AdditionalProperties = map[string]any{"changelog_message": changeMessage}
	if choices != 0 {
		request.AdditionalProperties["choice_set"] = choices
	}
	if field.Schema != nil && !r.version.before(4, 6) {
		request.AdditionalProperties["validation_schema"] = field.Schema
	}
	return *request
}

// inactive is an error that names the mapping's fields that NetBox does not show.
func inactive(fields []definition) error {
	ours := map[string]bool{}
	for _, f := range netbox.CustomFields() {
		ours[f.Name] = true
	}
	var names []string
	for _, d := range fields {
		if ours[d.Name] && d.Status != "" && d.Status != "active" {
			names = append(names, fmt.Sprintf("%s is %s", d.Name, d.Status))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &Error{
		Doing: "preparing NetBox", Detail: "custom fields that NetBox does not show yet: " + strings.Join(names, ", "),
		Hint: "start NetBox's background worker (netbox rqworker), wait until they are active, then run bootstrap again",
	}
}

// onlyOurs drops the error that go-netbox makes of a refusal: the transport has
// taken the answer down already.
func onlyOurs(err error) error {
	if errors.As(err, new(*nb.GenericOpenAPIError)) {
		return nil
	}
	return err
}

func pairs(values []string) [][]any {
	list := make([][]any, len(values))
	for i, value := range values {
		list[i] = []any{value, value}
	}
	return list
}

func missingChoices(want []string, have [][]string) []string {
	var values []string
	for _, pair := range have {
		if len(pair) > 0 {
			values = append(values, pair[0])
		}
	}
	return without(want, values)
}

// without returns the values of want that have lacks.
func without(want, have []string) []string {
	var missing []string
	for _, value := range want {
		if !slices.Contains(have, value) {
			missing = append(missing, value)
		}
	}
	return missing
}
