// answers: Notes how far the journal of a machine is applied. In the transaction that applies its deliveries.
// parameter: journal STRING id of the journal
// parameter: applied INTEGER sequence of its last delivery that is in the graph
// parameter: token STRING what tells this delivery from another with the same sequence
// mode: write
// index: journal_id
MERGE (j:Journal {id: $journal})
SET j.applied = $applied, j.token = $token
