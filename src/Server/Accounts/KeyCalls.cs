using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>Making keys, by an organization's own key or by the administrator, and revoking them.</summary>
internal sealed partial class KeyCalls(
    AccountDirectory directory,
    IAccountStore store,
    Authentication authentication,
    KeyOptions options,
    TimeProvider time,
    ILogger<KeyCalls> logger)
{
    private const int MaxBodyBytes = 16 * 1024;
    private const int RetrySeconds = 2;

    private const string NotKnownIfMade =
        "The database does not answer, so it is not known whether the key was made. Send the request again; a key that was made and not shown "
        + "is in GET /api/keys, where it can be revoked.";

    private const string NotKnownIfRevoked =
        "The database does not answer, so it is not known whether the key was revoked. Send the same request again; 404 means that it was.";

    /// <summary><c>POST /api/keys</c>: another key of the caller's organization, with no scope that the caller lacks.</summary>
    public async Task CreateAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } caller) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        var absent = new KeyRequest("", KeyScopes.None, null, KeyFormat.IsLive(caller.Record.Prefix));
        if (await ReadOrAnswerAsync(context, body.RootElement, absent) is not { } request) return;
        if ((request.Scopes & ~caller.Scopes) is var lacking && lacking != KeyScopes.None)
        {
            await Answers.ProblemAsync(
                context,
                Problem.InsufficientScope,
                $"A key can give out only scopes that it has itself, and the one you sent lacks {lacking.ToText()}.",
                ("required_scope", lacking.ToText()));
            return;
        }

        await MakeAsync(context, caller.Organization, request, options.MaxPerOrganization);
    }

    /// <summary>
    /// A key that the administrator makes, for an owner who has none any more: with all scopes unless others are asked for, and past the
    /// organization's cap.
    /// </summary>
    public async Task CreateForOwnerAsync(HttpContext context, Organization organization)
    {
        var absent = new KeyRequest("made by the administrator", KeyScopes.All, null, Live: true);
        using var body = JsonBody.IsSent(context) ? await JsonBody.ReadObjectAsync(context, MaxBodyBytes) : JsonDocument.Parse("{}");
        if (body is null || await ReadOrAnswerAsync(context, body.RootElement, absent) is not { } request) return;
        await MakeAsync(context, organization, request, int.MaxValue);
    }

    /// <summary><c>DELETE /api/keys/{key_id}</c>: the key is refused from now on, the one that was sent too.</summary>
    public async Task RevokeAsync(HttpContext context, string? id)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } caller) return;
        var organization = caller.Organization;
        if (!UuidText.TryParse(id, out var keyId) || directory.FindKey(organization, keyId) is not { } key)
        {
            await NotFoundAsync(context);
            return;
        }

        var at = time.GetMilliseconds();
        if (await CertainOrAnswerAsync(
            context, NotKnownIfRevoked, cancelled => store.RevokeKeyAsync(organization.No, keyId, at, cancelled)) is not { } change)
            return;
        await (change switch
        {
            KeyChange.Done => RevokedAsync(context, key, at),
            KeyChange.LastManager => Answers.ProblemAsync(
                context,
                Problem.LastManagingKey,
                "This is the only key with the scope keys:manage: without it nobody could make another. Make one with it first, or rotate this one."),
            _ => NotFoundAsync(context),
        });
    }

    private async ValueTask<KeyRequest?> ReadOrAnswerAsync(HttpContext context, JsonElement body, KeyRequest absent)
    {
        var request = KeyRequest.Read(body, absent, time.GetUtcNow(), out var error);
        if (request is null) await error!.AnswerAsync(context);
        return request;
    }

    private async Task MakeAsync(HttpContext context, Organization organization, KeyRequest request, int most)
    {
        AuditedCall.Current?.Note("name", request.Name);
        AuditedCall.Current?.Note("scopes", request.Scopes.NamesOf());
        var (record, text) = NewAccount.Key(
            organization.Record, request.Live, request.Name, request.Scopes.ToText(), time.GetMilliseconds(), request.ExpiresAt);
        if (await CertainOrAnswerAsync(context, NotKnownIfMade, cancelled => store.AddKeyAsync(record, most, cancelled)) is not { } change)
            return;
        await (change switch
        {
            KeyChange.Done => MadeAsync(context, organization, record, text),
            KeyChange.TooMany => TooManyAsync(context, options),
            _ => Answers.ProblemAsync(context, Problem.OrganizationNotFound, "The organization has been removed."),
        });
    }

    /// <summary>Answers 422: the organization has as many keys as it may.</summary>
    public static Task TooManyAsync(HttpContext context, KeyOptions options) => Answers.ProblemAsync(
        context,
        Problem.TooManyKeys,
        $"Your organization has {options.MaxPerOrganization} keys, which is the most it may have; revoke one first.",
        ("limit", options.MaxPerOrganization));

    private Task MadeAsync(HttpContext context, Organization organization, ApiKeyRecord record, string text)
    {
        Failpoint.Pass(Failpoint.KeyCommitted);
        var key = directory.Add(organization, record);
        Log.Made(logger, organization.Id, record.Id, record.Scopes);
        return Answers.JsonAsync(context, StatusCodes.Status201Created, (key, text), KeyJson.WriteMade);
    }

    private Task RevokedAsync(HttpContext context, ApiKey key, DateTimeOffset at)
    {
        Failpoint.Pass(Failpoint.KeyCommitted);
        directory.Revoke(key, at);
        Log.Revoked(logger, key.Organization.Id, key.Record.Id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>What came of it; null after it has answered that this is not known.</summary>
    private static async ValueTask<KeyChange?> CertainOrAnswerAsync(
        HttpContext context, string notKnown, Func<CancellationToken, Task<KeyChange>> write)
    {
        try
        {
            return await CertainWrite.RunAsync(write);
        }
        catch (StoreException away) when (away.Failure == StoreFailure.Unavailable)
        {
            await Answers.ProblemAsync(context, Problem.StorageUnavailable, notKnown, ("retry_after_seconds", RetrySeconds));
            return null;
        }
    }

    private static Task NotFoundAsync(HttpContext context) => Answers.ProblemAsync(
        context, Problem.KeyNotFound, "Your organization has no key with this id. GET /api/keys lists those it has.");

    private static partial class Log
    {
        [LoggerMessage(LogEvents.KeyCallsMade, LogLevel.Information, "Organization {OrganizationId}: key {KeyId} made with {Scopes}")]
        public static partial void Made(ILogger logger, Guid organizationId, Guid keyId, string scopes);

        [LoggerMessage(LogEvents.KeyCallsRevoked, LogLevel.Information, "Organization {OrganizationId}: key {KeyId} revoked")]
        public static partial void Revoked(ILogger logger, Guid organizationId, Guid keyId);
    }
}
