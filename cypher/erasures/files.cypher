// answers: The next published files of kept runs, in the order of run, part and number.
// parameter: run STRING run of the last file that was looked at, or an empty text
// parameter: part STRING its part
// parameter: seq INTEGER its number
// parameter: most INTEGER how many files
// column: run STRING the run's id
// column: part STRING the part's name
// column: seq INTEGER number of the file
// column: bytes BYTES lines, each with its newline
// mode: read
// index: run_file
MATCH (f:RunFile)
USING INDEX f:RunFile(run, part, seq)
WHERE f.run >= $run AND f.part IS NOT NULL AND f.seq IS NOT NULL
  AND (f.run > $run OR f.part > $part OR (f.part = $part AND f.seq > $seq))
WITH f ORDER BY f.run, f.part, f.seq LIMIT $most
RETURN f.run AS run, f.part AS part, f.seq AS seq, f.bytes AS bytes
