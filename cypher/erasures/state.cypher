// answers: At which version was an account last erased, and which graph is this?
// column: identity STRING name of the graph; null before the first analysis
// column: erased_v INTEGER the version; null where no account was erased
// mode: read
// index: graph_id
MATCH (g:Graph {id: 1})
RETURN g.identity AS identity, g.erased_v AS erased_v
