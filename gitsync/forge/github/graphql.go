package github

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"hedgehog-gitops/gitsync"
	"hedgehog-gitops/gitsync/edge"
)

// mutation is the text of a mutation with one input.
func mutation(field, input, result string) string {
	return "mutation($input:" + input + "!){" + field + "(input:$input){" + result + "}}"
}

// query asks GraphQL, which has what the REST API has not, and puts what is said of
// the field into result. GraphQL reports success where it refuses.
func (f *Forge) query(ctx context.Context, document string, input map[string]string, field string, result any) error {
	question := map[string]any{"query": document}
	if input != nil {
		question["variables"] = map[string]any{"input": input}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.graphql.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", f.options.UserAgent)
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Data   map[string]json.RawMessage
		Errors []struct{ Type, Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if len(answer.Errors) == 0 {
		return json.Unmarshal(answer.Data[field], result)
	}
	e := &edge.Error{Doing: taskOf(ctx).doing, Detail: f.scrub(edge.Neutral(answer.Errors[0].Message)), Err: &refusal{graphql: true}}
	switch answer.Errors[0].Type {
	case "NOT_FOUND":
		e.Kind, e.Hint = gitsync.ErrNotFound, hintHidden
	case "FORBIDDEN", "INSUFFICIENT_SCOPES":
		f.forbidden(e, taskOf(ctx), nil)
	default:
		unprocessable(e)
	}
	return e
}
