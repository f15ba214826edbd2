using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// <c>POST /api/keys/rotate</c>: a new key with the same name and scopes for the one that was used, which ends at once or after a grace.
/// </summary>
internal sealed partial class KeyRotation(
    AccountDirectory directory,
    IAccountStore store,
    Authentication authentication,
    TimeProvider time,
    ILogger<KeyRotation> logger)
{
    private const int MaxBodyBytes = 4 * 1024;

    /// <summary>Handles the call.</summary>
    public async Task RotateAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } key) return;
        if (await ReadAsync(context) is not { } request) return;

        var now = time.GetMilliseconds();
        var (record, text) = NewAccount.Key(
            key.Organization.Record, KeyFormat.IsLive(key.Record.Prefix), key.Record.Name, key.Record.Scopes, now);
        var endsAt = EarlierOf(key, now + request.Grace);

        // Not cancelled when the caller hangs up: a rotation that is stored must be known here too.
        if (!await store.RotateAsync(record, key.Record.Id, endsAt, CancellationToken.None))
        {
            await Authentication.RefuseAsync(context);
            return;
        }

        Failpoint.Pass(Failpoint.KeyCommitted);
        directory.Rotate(key, record, endsAt);
        Log.KeyRotated(logger, key.Organization.Id, key.Record.Id, record.Id, endsAt);
        await AnswerAsync(context, key.Organization.Record, text, now, request.Grace);
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

    private static partial class Log
    {
        [LoggerMessage(LogEvents.KeyRotationKeyRotated, LogLevel.Information,
            "Organization {OrganizationId}: key {OldKeyId} replaced by {NewKeyId}, ends at {EndsAt}")]
        public static partial void KeyRotated(ILogger logger, Guid organizationId, Guid oldKeyId, Guid newKeyId, DateTimeOffset endsAt);
    }
}
