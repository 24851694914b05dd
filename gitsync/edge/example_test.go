package edge_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"hedgehog-gitops/gitsync/edge"
)

// An edge lets Explain say what is the same everywhere, and adds what only it knows.
func Example() {
	server := httptest.NewServer(http.RedirectHandler("https://login.example.com/?from=git", http.StatusFound))
	defer server.Close()
	ctx := context.Background()

	client := &http.Client{CheckRedirect: edge.SameServer, Transport: edge.Transport(nil, nil)}
	resp, err := client.Get(server.URL + "/api/v1/user")
	if err == nil {
		resp.Body.Close()
		return
	}
	e, said := edge.From(ctx, err)
	if !said && e.Explain() == edge.NoHost {
		e.Hint = "check the address, such as https://git.example.com"
	}
	e.Doing = "asking whose token it is"
	fmt.Println(e)
	fmt.Println("hint:", e.Hint)
	// Output:
	// asking whose token it is: the server redirects to https://login.example.com/
	// hint: set the address to where it redirects; the token is never sent to another server
}
