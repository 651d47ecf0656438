// answers: How far is the journal of a machine applied?
// parameter: journal STRING id of the journal
// column: applied INTEGER sequence of its last delivery that is in the graph
// column: token STRING what tells this delivery from another with the same sequence
// mode: read
// index: journal_id
MATCH (j:Journal {id: $journal})
WHERE j.applied IS NOT NULL
RETURN j.applied AS applied, j.token AS token
