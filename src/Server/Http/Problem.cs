namespace ZapierTriggers.Server.Http;

/// <summary>One kind of refusal. Title and code are part of the contract; the catalogue below is complete.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">A slug that programs compare; also the anchor of <c>type</c> on the docs page.</param>
/// <param name="Title">A short constant sentence, also sent as <c>error</c>.</param>
internal sealed record Problem(int Status, string Code, string Title)
{
    public static readonly Problem InvalidJson = new(400, "invalid_json", "Invalid JSON")
    {
        When = "The body is not a JSON object (or not an array, for a batch) in UTF-8: malformed, with a byte order mark, half a surrogate pair, a name twice, or nested deeper than 64.",
        Remedy = "Send valid JSON; the detail names the byte where it goes wrong.",
    };
    public static readonly Problem InvalidRequest = new(400, "invalid_request", "Invalid request")
    {
        When = "The request is not proper HTTP: headers too large, a broken chunk, a wrong length.",
        Remedy = "Mend the client; the connection is closed.",
    };
    public static readonly Problem MissingFields = new(400, "missing_fields", "Missing required fields: type, payload")
    {
        When = "An event lacks type, or payload.",
        Remedy = "Send both.",
    };
    public static readonly Problem MissingApiKey = new(401, "missing_api_key", "Missing API key")
    {
        When = "There is no key in the request.",
        Remedy = "Send it as X-API-Key, or as Authorization: Bearer.",
    };
    public static readonly Problem InvalidApiKey = new(401, "invalid_api_key", "Invalid API key")
    {
        When = "The key is mistyped, rotated, revoked or expired.",
        Remedy = "Use a current key of your organization.",
    };
    public static readonly Problem MissingAdminToken = new(401, "missing_admin_token", "Missing admin token")
    {
        When = "An administrator's call came without the admin token.",
        Remedy = "Send it as X-API-Key, or as Authorization: Bearer.",
    };
    public static readonly Problem InvalidAdminToken = new(401, "invalid_admin_token", "Invalid admin token")
    {
        When = "What was sent is not the admin token.",
        Remedy = "It was shown at the first start and is kept in the data directory, unless it is given as ADMIN_TOKEN.",
    };
    public static readonly Problem InsufficientScope = new(403, "insufficient_scope", "Insufficient scope")
    {
        When = "The key is valid and may not do this.",
        Remedy = "Use a key with the scope that is named.",
        Fields = ["required_scope"],
    };
    public static readonly Problem OrganizationSuspended = new(403, "organization_suspended", "Organization suspended")
    {
        When = "The administrator has suspended your organization; nothing is lost, webhooks wait.",
        Remedy = "Ask the administrator of the server; the detail has the reason.",
    };
    public static readonly Problem NotFound = new(404, "not_found", "Not found")
    {
        When = "There is nothing under this path.",
        Remedy = "Look the path up in the reference.",
    };
    public static readonly Problem EventNotFound = new(404, "event_not_found", "Event not found")
    {
        When = "Your organization has no event with this id.",
        Remedy = "Use an id that POST /api/events or GET /api/inbox answered to your organization.",
    };
    public static readonly Problem DeadLetterNotFound = new(404, "dead_letter_not_found", "Dead letter not found")
    {
        When = "Your organization has no dead letter of an event with this id.",
        Remedy = "List them with GET /api/dead-letters; POST /api/events/{id}/replay sends any event again.",
    };
    public static readonly Problem ReplayNotFound = new(404, "replay_not_found", "Replay not found")
    {
        When = "Your organization has no replay with this id.",
        Remedy = "List the latest with GET /api/replays.",
    };
    public static readonly Problem ErasureNotFound = new(404, "erasure_not_found", "Erasure not found")
    {
        When = "Your organization has no erasure with this id.",
        Remedy = "Use an erasure_id that DELETE /api/events answered to your organization.",
    };
    public static readonly Problem OrganizationNotFound = new(404, "organization_not_found", "Organization not found")
    {
        When = "There is no organization with this id.",
        Remedy = "Use an organization_id that a call has answered.",
    };
    public static readonly Problem KeyNotFound = new(404, "key_not_found", "Key not found")
    {
        When = "Your organization has no key with this id.",
        Remedy = "List them with GET /api/keys.",
    };
    public static readonly Problem EndpointNotFound = new(404, "endpoint_not_found", "Endpoint not found")
    {
        When = "Your organization has no endpoint with this id.",
        Remedy = "List them with GET /api/endpoints.",
    };
    public static readonly Problem MethodNotAllowed = new(405, "method_not_allowed", "Method not allowed")
    {
        When = "The path exists and does not take this method.",
        Remedy = "Use one of the methods in the header Allow.",
    };
    public static readonly Problem DuplicateEvent = new(409, "duplicate_event", "Duplicate event detected")
    {
        When = "An event with this dedup_id was accepted within the last 24 hours.",
        Remedy = "Nothing: the event is there, under event_id.",
        Fields = ["event_id"],
    };
    public static readonly Problem LastManagingKey = new(409, "last_managing_key", "Last managing key")
    {
        When = "It is the last key with keys:manage that does not expire: without it nobody could make another.",
        Remedy = "Make another key with keys:manage first, or rotate this one.",
    };
    public static readonly Problem AdminTokenIsSetting = new(409, "admin_token_is_setting", "Admin token is a setting")
    {
        When = "The admin token is given by a setting, so a call cannot change it.",
        Remedy = "Change ADMIN_TOKEN and restart; ADMIN_TOKEN_PREVIOUS lets the old one go on for a while.",
    };
    public static readonly Problem NoEndpoint = new(409, "no_endpoint", "No endpoint")
    {
        When = "There is no endpoint that the event could be sent to.",
        Remedy = "Make or enable one, then replay again.",
    };
    public static readonly Problem TooManyReplays = new(409, "too_many_replays", "Too many replays")
    {
        When = "Your organization has as many unfinished replays as it may have.",
        Remedy = "Wait until one is finished; GET /api/replays shows them.",
        Fields = ["limit"],
    };
    public static readonly Problem TooManyErasures = new(409, "too_many_erasures", "Too many erasures")
    {
        When = "Your organization has as many unfinished erasures as it may have.",
        Remedy = "Wait until one is finished; GET /api/erasures/{id} shows how far it is.",
        Fields = ["limit"],
    };
    public static readonly Problem PayloadTooLarge = new(413, "payload_too_large", "Payload too large")
    {
        When = "The payload, batch or body has more bytes than this call takes.",
        Remedy = "Send less, or a link to the data.",
        Fields = ["limit_bytes"],
    };
    public static readonly Problem UnsupportedMediaType = new(415, "unsupported_media_type", "Unsupported media type")
    {
        When = "The Content-Type is none that this call takes, or the body is compressed.",
        Remedy = "Send application/json in UTF-8, uncompressed.",
    };
    public static readonly Problem InvalidField = new(422, "invalid_field", "Invalid field")
    {
        When = "A field or parameter has a value that cannot be taken.",
        Remedy = "Change the field that is named; the detail says what it may hold.",
        Fields = ["field"],
    };
    public static readonly Problem InvalidUrl = new(422, "invalid_url", "Invalid webhook URL")
    {
        When = "A webhook's URL is malformed, or leads to an address that webhooks may not go to.",
        Remedy = "Use an http or https URL that is publicly reachable; on a server of your own see Delivery:AllowedNetworks.",
        Fields = ["field"],
    };
    public static readonly Problem TooManyEndpoints = new(422, "too_many_endpoints", "Too many endpoints")
    {
        When = "Your organization has as many endpoints as it may have.",
        Remedy = "Remove one first.",
        Fields = ["limit"],
    };
    public static readonly Problem TooManyKeys = new(422, "too_many_keys", "Too many keys")
    {
        When = "Your organization has as many keys as it may have.",
        Remedy = "Revoke one first.",
        Fields = ["limit"],
    };
    public static readonly Problem KeyReused = new(422, "idempotency_key_reused", "Idempotency key reused")
    {
        When = "The dedup id, or Idempotency-Key, came with another payload within 24 hours.",
        Remedy = "Use a new id for a new event.",
        Fields = ["event_id"],
    };
    public static readonly Problem RateLimited = new(429, "rate_limit_exceeded", "Rate limit exceeded")
    {
        When = "More events than your limit in 60 seconds, or more calls than this one takes at a time.",
        Remedy = "Wait for retry_after_seconds, then send it again.",
        Fields = ["retry_after_seconds", "limit", "window"],
    };
    public static readonly Problem QuotaExceeded = new(429, "quota_exceeded", "Monthly quota exceeded")
    {
        When = "Your organization has sent as many events in this calendar month (UTC) as its tier has.",
        Remedy = "Wait until the month ends, in retry_after_seconds, or ask for a larger tier; GET /api/usage shows what is used.",
        Fields = ["retry_after_seconds", "limit", "window"],
    };
    public static readonly Problem Internal = new(500, "internal_error", "Internal error")
    {
        When = "The server has failed where it should not.",
        Remedy = "Try again, with the same dedup_id; tell the operator the X-Request-Id.",
    };
    public static readonly Problem QueueFull = new(503, "queue_full", "Event queue is full")
    {
        When = "More events wait than may wait. Nothing was kept.",
        Remedy = "Send it again after retry_after_seconds.",
        Fields = ["retry_after_seconds"],
    };
    public static readonly Problem StorageUnavailable = new(503, "storage_unavailable", "Storage unavailable")
    {
        When = "The database or the journal cannot take or show events now; the detail says whether it is known that nothing was kept.",
        Remedy = "Send it again after retry_after_seconds, events with the same dedup_id.",
        Fields = ["retry_after_seconds"],
    };

    /// <summary>All of them, for metrics and documentation.</summary>
    public static readonly IReadOnlyList<Problem> All =
    [
        InvalidJson, InvalidRequest, MissingFields, MissingApiKey, InvalidApiKey, MissingAdminToken, InvalidAdminToken,
        InsufficientScope, OrganizationSuspended, NotFound, EventNotFound, DeadLetterNotFound, ReplayNotFound, ErasureNotFound,
        OrganizationNotFound, KeyNotFound, EndpointNotFound, MethodNotAllowed, DuplicateEvent, LastManagingKey, AdminTokenIsSetting,
        NoEndpoint, TooManyReplays, TooManyErasures, PayloadTooLarge, UnsupportedMediaType, InvalidField, InvalidUrl, TooManyEndpoints,
        TooManyKeys, KeyReused, RateLimited, QuotaExceeded, Internal, QueueFull, StorageUnavailable,
    ];

    private long _answered;

    /// <summary>When it is answered, in a sentence or two.</summary>
    public required string When { get; init; }

    /// <summary>What whoever gets it can do.</summary>
    public required string Remedy { get; init; }

    /// <summary>What it has besides the fields that all problems have; each where it makes sense.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];

    /// <summary>How often it was answered since the start.</summary>
    public long Answered => Volatile.Read(ref _answered);

    /// <summary>Counts an answer.</summary>
    public void NoteAnswered() => Interlocked.Increment(ref _answered);

    /// <summary>The URI of its description on this server's own docs page.</summary>
    public string Type { get; } = $"/docs/errors#{Code}";
}
