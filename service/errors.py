"""Every error Entourage raises on purpose.

EntourageError
├── BadInput                          what was sent or typed cannot be used        400, exit 3
│   ├── InvalidRequest                a body or a parameter breaks its schema      422, exit 3
│   ├── RunTooLarge                   not enough memory for an analysis            422, exit 3
│   ├── NothingToTest                 nothing before or after the cut to measure   422, exit 3
│   ├── InvalidCursor                 a paging cursor that is not ours             400, exit 3
│   ├── BodyTooLarge                  a body over the limit                        413, exit 3
│   ├── MalformedBody                 a body that is not JSON                      400, exit 3
│   ├── SignatureInvalid              a delivery that its source did not sign      401, exit 3
│   ├── SourceDisabled                a source that may not push any more          403, exit 3
│   ├── KeyRequired                   a request without an API key                 401, exit 3
│   ├── KeyInvalid                    an API key that is not known or was revoked  401, exit 3
│   ├── ScopeMissing                  an API key that may not do this              403, exit 3
│   ├── UnreadableFile                a file that cannot be imported at all        400, exit 3
│   │   └── ExpandsTooFar             a packed file that holds more than it may    413, exit 3
│   ├── NothingImported               not one line of a file could be used         400, exit 3
│   └── PushRefused                   a service takes nothing of what is pushed    400, exit 3
├── NotFound                          no such thing, or not for you                404, exit 4
│   ├── RunNotFound
│   ├── CommunityNotFound
│   ├── AccountNotFound
│   ├── BrandNotFound
│   ├── SourceNotFound
│   ├── KeyNotFound
│   ├── DeliveryNotFound
│   ├── ImportNotFound
│   ├── ScheduleNotFound
│   ├── MixNotFound
│   ├── QueryNotFound
│   ├── OwnMeasureNotFound
│   ├── ErasureNotFound
│   ├── NothingPublished              no run has been published yet
│   └── RouteNotFound                 no such address (405 where only the method is wrong)
├── Conflict                          the request contradicts what is there        409, exit 5
│   ├── IdempotencyConflict           same Idempotency-Key, another body
│   ├── DeliveryConflict              same webhook-id, another body
│   ├── SourceExists                  a source of this name is there already
│   ├── ImportEnded                   an import that has ended is to be cancelled
│   ├── TooManyWatchers               as many watch runs as one process takes      429, exit 5
│   └── EmptyGraph                    an analysis of a graph without accounts
├── StoreError                        Neo4j                                        503, exit 6
│   ├── StoreUnavailable              no answer from Neo4j
│   │   └── StoreLoading              it stands still while a first load goes on
│   ├── StoreRefused                  a statement or value that Neo4j does not take
│   ├── StoreTimedOut                 a query that took longer than it may
│   ├── NoReadOnlyUsers               a Neo4j whose users may all write
│   ├── StoreAuthFailed               wrong user or password
│   ├── StoreStartFailed              the embedded server did not start
│   │   ├── NoNetworkForJars          first start without network
│   │   ├── CorruptJarCache           a jar is not what it was
│   │   ├── DiskFull                  no room on the device
│   │   └── PortTaken                 a required port is in use
│   └── MigrationError                the schema cannot be brought up to date      503, exit 7
│       ├── MigrationChanged          an applied file was edited
│       ├── MigrationGap              a version is missing
│       └── DatabaseNewer             the graph was migrated by newer code
├── JournalError                      deliveries cannot be journaled now           503, exit 11
│   ├── JournalBusy                   too many wait for the graph                  429, exit 11
│   ├── JournalFull                   no room on the device                        503, exit 11
│   ├── JournalCorrupt                the file is damaged                          503, exit 11
│   └── JournalUnavailable            it cannot be read or written
├── QueryFileInvalid                  a file under cypher/ breaks its own header   500, exit 70
├── RunFailed                         an analysis ended without a result           500, exit 8
├── FutureLeaked                      a back-test that would know what came later  500, exit 8
├── PublishedSetCorrupt               a published page fails its checksum          500, exit 8
└── ConfigurationError                settings that cannot work                    500, exit 9

Exit codes of the command: 0 done; 1 an error nobody foresaw (a bug); 2 wrong usage (typer);
3 bad input; 4 not found; 5 conflict; 6 Neo4j; 7 migrations; 8 run failed; 9 settings;
10 done, but lines of the input were rejected; 11 the journal.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_LINES_REJECTED = 10


class EntourageError(Exception):
    """Base of all errors raised on purpose.

    `message` is one sentence for a person: what is wrong, and what to do about it.
    `code` is stable and meant for programs. `fields` are extra members of the problem document
    (RFC 9457), for instance `errors` naming each wrong field. None of them may hold a secret.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Internal error"

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class BadInput(EntourageError):
    """What was sent or typed cannot be used."""

    code = "bad_input"
    status = 400
    exit_code = 3
    title = "Bad input"


class InvalidRequest(BadInput):
    """A body or a parameter breaks its schema; `errors` names each field."""

    code = "invalid_request"
    status = 422
    title = "Invalid request"


class RunTooLarge(BadInput):
    """An analysis for which there is not enough memory; it did not begin."""

    code = "run_too_large"
    status = 422
    title = "Run too large"


class NothingToTest(BadInput):
    """A back-test for which there is nothing before the cut to score, or nothing after it to measure."""

    code = "nothing_to_test"
    status = 422
    title = "Nothing to test"


class InvalidCursor(BadInput):
    """A paging cursor that this service did not hand out for this question."""

    code = "invalid_cursor"
    title = "Invalid cursor"


class BodyTooLarge(BadInput):
    """A request body over the limit."""

    code = "body_too_large"
    status = 413
    title = "Body too large"


class MalformedBody(BadInput):
    """A request body that is not JSON, did not come whole, or is not packed as it says."""

    code = "malformed_body"
    title = "Malformed body"


class SignatureInvalid(BadInput):
    """A delivery without a valid signature of its source."""

    code = "signature_invalid"
    status = 401
    title = "Invalid signature"


class PushRefused(BadInput):
    """A service does not take what is pushed to it, or cannot be reached."""

    code = "push_refused"
    status = 400
    title = "Push refused"


class SourceDisabled(BadInput):
    """A source that was disabled pushes events."""

    code = "source_disabled"
    status = 403
    title = "Source disabled"


class KeyRequired(BadInput):
    """A request without an API key, where one is needed."""

    code = "key_required"
    status = 401
    title = "API key required"


class KeyInvalid(BadInput):
    """An API key that is not known, or was revoked."""

    code = "key_invalid"
    status = 401
    title = "Invalid API key"


class ScopeMissing(BadInput):
    """An API key that may not do what is asked."""

    code = "scope_missing"
    status = 403
    title = "Scope missing"


class UnreadableFile(BadInput):
    """A file that cannot be imported at all: missing, not text, no such column."""

    code = "unreadable_file"
    title = "Unreadable file"


class ExpandsTooFar(UnreadableFile):
    """A packed file that expands to more than a file may."""

    code = "expands_too_far"
    status = 413
    title = "File expands too far"


class NothingImported(BadInput):
    """Not one line of a file could be used."""

    code = "nothing_imported"
    title = "Nothing imported"


class NotFound(EntourageError):
    """No such thing, or not one the caller may see."""

    code = "not_found"
    status = 404
    exit_code = 4
    title = "Not found"


class RunNotFound(NotFound):
    """No run with this id."""

    code = "run_not_found"
    title = "Run not found"


class CommunityNotFound(NotFound):
    """No community with this id in the run that was read."""

    code = "community_not_found"
    title = "Community not found"


class AccountNotFound(NotFound):
    """No account with this key."""

    code = "account_not_found"
    title = "Account not found"


class BrandNotFound(NotFound):
    """No brand with this key."""

    code = "brand_not_found"
    title = "Brand not found"


class SourceNotFound(NotFound):
    """No source with this name."""

    code = "source_not_found"
    title = "Source not found"


class KeyNotFound(NotFound):
    """No API key with this id."""

    code = "key_not_found"
    title = "API key not found"


class DeliveryNotFound(NotFound):
    """No delivery with this id, or its outcome is no longer kept."""

    code = "delivery_not_found"
    title = "Delivery not found"


class ImportNotFound(NotFound):
    """No import with this id, or it is no longer kept; or it left no line out."""

    code = "import_not_found"
    title = "Import not found"


class MixNotFound(NotFound):
    """No mix of lenses under this name."""

    code = "mix_not_found"
    title = "Mix not found"


class OwnMeasureNotFound(NotFound):
    """No measure that analysts wrote has this name."""

    code = "own_measure_not_found"
    title = "Measure not found"


class QueryNotFound(NotFound):
    """No query for analysts under this name."""

    code = "query_not_found"
    title = "Query not found"


class ScheduleNotFound(NotFound):
    """No schedule of runs with this id."""

    code = "schedule_not_found"
    title = "Schedule not found"


class ErasureNotFound(NotFound):
    """No erasure with this id."""

    code = "erasure_not_found"
    title = "Erasure not found"


class NothingPublished(NotFound):
    """No run has been published yet."""

    code = "nothing_published"
    title = "Nothing published yet"


class RouteNotFound(NotFound):
    """No such address."""

    code = "route_not_found"
    title = "No such address"


class Conflict(EntourageError):
    """The request contradicts what is there."""

    code = "conflict"
    status = 409
    exit_code = 5
    title = "Conflict"


class IdempotencyConflict(Conflict):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_conflict"
    title = "Idempotency key reused"


class DeliveryConflict(Conflict):
    """The same webhook-id came with another body."""

    code = "delivery_conflict"
    title = "Delivery id reused"


class ImportEnded(Conflict):
    """An import is to be cancelled that is done or has failed."""

    code = "import_ended"
    title = "Import has ended"


class SourceExists(Conflict):
    """A source of this name is there already."""

    code = "source_exists"
    title = "Source exists"


class TooManyWatchers(Conflict):
    """As many watch runs as one process of the service takes."""

    code = "too_many_watchers"
    status = 429
    title = "Too many watchers"


class EmptyGraph(Conflict):
    """An analysis was asked of a graph without accounts."""

    code = "empty_graph"
    title = "Empty graph"


class StoreError(EntourageError):
    """Neo4j did not do what was asked."""

    code = "store_error"
    status = 503
    exit_code = 6
    title = "Graph store error"


class StoreUnavailable(StoreError):
    """No answer from Neo4j."""

    code = "store_unavailable"
    title = "Graph store unavailable"


class StoreLoading(StoreUnavailable):
    """The embedded Neo4j stands still while an empty store is loaded for the first time."""

    code = "store_loading"
    title = "Graph store loading"


class StoreRefused(StoreError):
    """Neo4j does not take a statement, or a value in it."""

    code = "store_refused"
    title = "Graph store refused a statement"


class StoreTimedOut(StoreError):
    """Neo4j ended what took longer than it may."""

    code = "store_timed_out"
    title = "Query took too long"


class NoReadOnlyUsers(StoreError):
    """This Neo4j has no roles, so that each of its users may write."""

    code = "no_read_only_users"
    title = "No read-only users"


class StoreAuthFailed(StoreError):
    """Neo4j refused the user or the password."""

    code = "store_auth_failed"
    title = "Graph store refused the credentials"


class StoreStartFailed(StoreError):
    """The embedded Neo4j did not start."""

    code = "store_start_failed"
    title = "Embedded Neo4j did not start"


class NoNetworkForJars(StoreStartFailed):
    """Neo4j's jars are not on this machine yet and cannot be fetched."""

    code = "no_network_for_jars"
    title = "Neo4j could not be fetched"


class CorruptJarCache(StoreStartFailed):
    """A cached jar is not what was downloaded."""

    code = "corrupt_jar_cache"
    title = "Neo4j's jar cache is damaged"


class DiskFull(StoreStartFailed):
    """No room left on the device."""

    code = "disk_full"
    title = "Disk full"


class PortTaken(StoreStartFailed):
    """A port that must be used is in use."""

    code = "port_taken"
    title = "Port in use"


class MigrationError(StoreError):
    """The schema of the graph cannot be brought up to date."""

    code = "migration_error"
    exit_code = 7
    title = "Migration failed"


class MigrationChanged(MigrationError):
    """A migration file was edited after it was applied."""

    code = "migration_changed"
    title = "Applied migration was changed"


class MigrationGap(MigrationError):
    """A migration version is missing."""

    code = "migration_gap"
    title = "Migration missing"


class DatabaseNewer(MigrationError):
    """The graph was migrated by newer code than this."""

    code = "database_newer"
    title = "Database is newer than the code"


class JournalError(EntourageError):
    """Deliveries cannot be journaled now, so that none is acknowledged."""

    code = "journal_error"
    status = 503
    exit_code = 11
    title = "Journal error"


class JournalBusy(JournalError):
    """Too many deliveries wait for the graph."""

    code = "journal_busy"
    status = 429
    title = "Too many deliveries"


class JournalFull(JournalError):
    """No room is left where deliveries are journaled."""

    code = "journal_full"
    title = "No room for deliveries"


class JournalCorrupt(JournalError):
    """The journal is damaged."""

    code = "journal_corrupt"
    title = "Journal damaged"


class JournalUnavailable(JournalError):
    """The journal cannot be read or written."""

    code = "journal_unavailable"
    title = "Journal unavailable"


class QueryFileInvalid(EntourageError):
    """A file under cypher/ breaks its own header."""

    code = "query_file_invalid"
    exit_code = 70
    title = "Query file invalid"


class RunFailed(EntourageError):
    """An analysis ended without a result; the previous one stays served."""

    code = "run_failed"
    exit_code = 8
    title = "Run failed"


class FutureLeaked(EntourageError):
    """A back-test whose scores would know of what came afterwards; there are no figures."""

    code = "future_leaked"
    exit_code = 8
    title = "Future leaked"


class PublishedSetCorrupt(EntourageError):
    """A published page fails its checksum."""

    code = "published_set_corrupt"
    exit_code = 8
    title = "Published set damaged"


class ConfigurationError(EntourageError):
    """Settings that cannot work."""

    code = "configuration_error"
    exit_code = 9
    title = "Configuration error"
