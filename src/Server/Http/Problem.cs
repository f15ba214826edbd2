namespace ZapierTriggers.Server.Http;

/// <summary>One kind of refusal. Title and code are part of the contract; the catalogue below is complete.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">A slug that programs compare; also the anchor of <c>type</c> on the docs page.</param>
/// <param name="Title">A short constant sentence, also sent as <c>error</c>.</param>
internal sealed record Problem(int Status, string Code, string Title)
{
    public static readonly Problem InvalidJson = new(400, "invalid_json", "Invalid JSON");
    public static readonly Problem InvalidRequest = new(400, "invalid_request", "Invalid request");
    public static readonly Problem MissingFields = new(400, "missing_fields", "Missing required fields: type, payload");
    public static readonly Problem MissingApiKey = new(401, "missing_api_key", "Missing API key");
    public static readonly Problem InvalidApiKey = new(401, "invalid_api_key", "Invalid API key");
    public static readonly Problem MissingAdminToken = new(401, "missing_admin_token", "Missing admin token");
    public static readonly Problem InvalidAdminToken = new(401, "invalid_admin_token", "Invalid admin token");
    public static readonly Problem InsufficientScope = new(403, "insufficient_scope", "Insufficient scope");
    public static readonly Problem NotFound = new(404, "not_found", "Not found");
    public static readonly Problem EventNotFound = new(404, "event_not_found", "Event not found");
    public static readonly Problem DeadLetterNotFound = new(404, "dead_letter_not_found", "Dead letter not found");
    public static readonly Problem ReplayNotFound = new(404, "replay_not_found", "Replay not found");
    public static readonly Problem ErasureNotFound = new(404, "erasure_not_found", "Erasure not found");
    public static readonly Problem OrganizationNotFound = new(404, "organization_not_found", "Organization not found");
    public static readonly Problem EndpointNotFound = new(404, "endpoint_not_found", "Endpoint not found");
    public static readonly Problem MethodNotAllowed = new(405, "method_not_allowed", "Method not allowed");
    public static readonly Problem DuplicateEvent = new(409, "duplicate_event", "Duplicate event detected");
    public static readonly Problem NoEndpoint = new(409, "no_endpoint", "No endpoint");
    public static readonly Problem TooManyReplays = new(409, "too_many_replays", "Too many replays");
    public static readonly Problem TooManyErasures = new(409, "too_many_erasures", "Too many erasures");
    public static readonly Problem PayloadTooLarge = new(413, "payload_too_large", "Payload too large");
    public static readonly Problem UnsupportedMediaType = new(415, "unsupported_media_type", "Unsupported media type");
    public static readonly Problem InvalidField = new(422, "invalid_field", "Invalid field");
    public static readonly Problem InvalidUrl = new(422, "invalid_url", "Invalid webhook URL");
    public static readonly Problem TooManyEndpoints = new(422, "too_many_endpoints", "Too many endpoints");
    public static readonly Problem KeyReused = new(422, "idempotency_key_reused", "Idempotency key reused");
    public static readonly Problem RateLimited = new(429, "rate_limit_exceeded", "Rate limit exceeded");
    public static readonly Problem Internal = new(500, "internal_error", "Internal error");
    public static readonly Problem QueueFull = new(503, "queue_full", "Event queue is full");
    public static readonly Problem StorageUnavailable = new(503, "storage_unavailable", "Storage unavailable");

    /// <summary>All of them, for metrics and documentation.</summary>
    public static readonly IReadOnlyList<Problem> All =
    [
        InvalidJson, InvalidRequest, MissingFields, MissingApiKey, InvalidApiKey, MissingAdminToken, InvalidAdminToken, InsufficientScope, NotFound, EventNotFound, DeadLetterNotFound,
        ReplayNotFound, ErasureNotFound, OrganizationNotFound, EndpointNotFound, MethodNotAllowed, DuplicateEvent, NoEndpoint, TooManyReplays, TooManyErasures, PayloadTooLarge, UnsupportedMediaType, InvalidField,
        InvalidUrl, TooManyEndpoints, KeyReused, RateLimited, Internal, QueueFull, StorageUnavailable,
    ];

    private long _answered;

    /// <summary>How often it was answered since the start.</summary>
    public long Answered => Volatile.Read(ref _answered);

    /// <summary>Counts an answer.</summary>
    public void NoteAnswered() => Interlocked.Increment(ref _answered);

    /// <summary>The URI of its description on this server's own docs page.</summary>
    public string Type { get; } = $"/docs/errors#{Code}";
}
