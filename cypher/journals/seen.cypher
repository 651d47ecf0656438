// answers: Notes that the journal of a machine is in use.
// parameter: journal STRING id of the journal
// mode: write
// index: journal_id
MERGE (j:Journal {id: $journal})
SET j.seen_at = datetime()
