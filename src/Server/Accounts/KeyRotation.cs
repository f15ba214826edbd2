using System.Collections.Concurrent;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// <c>POST /api/keys/rotate</c>: a new key with the same name, scopes and expiry for the one that was used, which ends at once or after a
/// grace.
/// </summary>
internal sealed partial class KeyRotation(
    AccountDirectory directory,
    IAccountStore store,
    Authentication authentication,
    KeyOptions options,
    TimeProvider time,
    ILogger<KeyRotation> logger)
{
    private const int MaxBodyBytes = 4 * 1024;
    private const int RetrySeconds = 2;
    private const string Unknown =
        "The database does not answer, so it is not known whether the key was rotated. Keep the old key and send the same request again "
        + "with it: it is then rotated once, and the answer has the new key.";

    // Rotations whose storing was not answered, by the key to be replaced. They may be stored, so a repeat must be about the same new key.
    private readonly ConcurrentDictionary<Guid, Rotation> _unsettled = new();

    /// <summary>Handles the call.</summary>
    public async Task RotateAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } key) return;
        if (await ReadAsync(context) is not { } request) return;

        var unsettled = _unsettled.GetValueOrDefault(key.Record.Id);

        // One more than the cap, so that an organization with as many as it may have can rotate with a grace; not one more each time.
        if (unsettled is null && directory.KeysOf(key.Organization).Count > options.MaxPerOrganization)
        {
            await KeyCalls.TooManyAsync(context, options);
            return;
        }

        var planned = unsettled ?? Plan(key, request.Grace);
        AuditedCall.Current?.Note("new_key_id", planned.Added.Id);
        AuditedCall.Current?.Note("grace_seconds", (int)planned.Grace.TotalSeconds);
        try
        {
            if (!await CertainWrite.RunAsync(cancelled => store.RotateAsync(planned.Added, key.Record.Id, planned.EndsAt, cancelled)))
            {
                await Authentication.RefuseAsync(context);
                return;
            }
        }
        catch (StoreException away) when (away.Failure == StoreFailure.Unavailable)
        {
            _unsettled[key.Record.Id] = planned;
            await Answers.ProblemAsync(context, Problem.StorageUnavailable, Unknown, ("retry_after_seconds", RetrySeconds));
            return;
        }

        Failpoint.Pass(Failpoint.KeyCommitted);

        // Of two repeats at once, one takes it in.
        if (unsettled is null || _unsettled.TryRemove(key.Record.Id, out _))
        {
            directory.Rotate(key, planned.Added, planned.EndsAt);
            Log.KeyRotated(logger, key.Organization.Id, key.Record.Id, planned.Added.Id, planned.EndsAt);
        }

        await AnswerAsync(context, key.Organization.Record, planned.Text, planned.Added.CreatedAt, planned.Grace);
    }

    private Rotation Plan(ApiKey key, TimeSpan grace)
    {
        var now = time.GetMilliseconds();
        var (added, text) = NewAccount.Key(
            key.Organization.Record, KeyFormat.IsLive(key.Record.Prefix), key.Record.Name, key.Record.Scopes, now,
            key.Record.GivenExpiresAt);
        return new Rotation(added, text, EarlierOf(key, now + grace), grace);
    }

    private static async ValueTask<RotateRequest?> ReadAsync(HttpContext context)
    {
        if (!JsonBody.IsSent(context)) return new RotateRequest(TimeSpan.Zero);
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return null;
        var request = RotateRequest.Read(body.RootElement, out var error);
        if (request is null) await error!.AnswerAsync(context);
        return request;
    }

    /// <summary>A second rotation within the grace must not give the old key more time.</summary>
    private static DateTimeOffset EarlierOf(ApiKey key, DateTimeOffset end) =>
        key.EndsAt < end.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(key.EndsAt) : end;

    private static Task AnswerAsync(HttpContext context, OrganizationRecord organization, string key, DateTimeOffset at, TimeSpan grace) =>
        Answers.JsonAsync(context, StatusCodes.Status200OK, (organization, key, at, grace), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteString("organization_id"u8, s.organization.Id);
            writer.WriteString("organization_name"u8, s.organization.Name);
            writer.WriteString("api_key"u8, s.key);
            writer.WriteTime("rotated_at"u8, s.at);
            writer.WriteString("message"u8, MessageOf(s.grace));
            writer.WriteEndObject();
        });

    private static string MessageOf(TimeSpan grace) => grace == TimeSpan.Zero
        ? "Key rotated. The old key has stopped working; the new one is shown only this once."
        : $"Key rotated. The old key works for at most {(int)grace.TotalSeconds} more seconds; the new one is shown only this once.";

    /// <summary>A rotation as it is to be stored, and the new key's text.</summary>
    private sealed record Rotation(ApiKeyRecord Added, string Text, DateTimeOffset EndsAt, TimeSpan Grace);

    private static partial class Log
    {
        [LoggerMessage(LogEvents.KeyRotationKeyRotated, LogLevel.Information,
            "Organization {OrganizationId}: key {OldKeyId} replaced by {NewKeyId}, ends at {EndsAt}")]
        public static partial void KeyRotated(ILogger logger, Guid organizationId, Guid oldKeyId, Guid newKeyId, DateTimeOffset endsAt);
    }
}
