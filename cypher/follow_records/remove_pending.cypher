// answers: Forgets of records that nothing but their end was known.
// parameter: records LIST<STRING> digests of records
// mode: write
// index: ended_record_record
UNWIND $records AS record
MATCH (e:EndedRecord {record: record})
USING INDEX e:EndedRecord(record)
DELETE e
