using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// <c>POST /api/keys/generate</c>: a new organization with its first key, for the administrator, or for anyone while registration is
/// open.
/// </summary>
internal sealed partial class Registration(
    AccountDirectory directory,
    IAccountStore store,
    Authentication authentication,
    RegistrationOptions options,
    TimeProvider time,
    ILogger<Registration> logger)
{
    private const int MaxBodyBytes = 16 * 1024;

    // A number, id or route that is taken is a chance in millions; five in a row are a broken store.
    private const int MaxDraws = 5;

    private readonly MonotonicClock _clock = new(time);
    private readonly AddressLimiter _addresses = new(options.PerAddressPerMinute);
    private volatile bool _isOpen = options.Open;

    /// <summary>Opens or closes it from the next call on; how many an address may make is as it was at the start.</summary>
    public void Use(RegistrationOptions now) => _isOpen = now.Open;

    /// <summary>Handles the call.</summary>
    public async Task GenerateAsync(HttpContext context)
    {
        if (!await MayRegisterAsync(context)) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        if (GenerateRequest.Read(body.RootElement, out var error) is not { } request)
        {
            await error!.AnswerAsync(context);
            return;
        }

        var (organization, key) = await CreateAsync(request);
        Log.OrganizationCreated(logger, organization.Id, organization.Tier, request.Live ? "live" : "test");
        await AnswerAsync(context, organization, key);
    }

    /// <summary>The administrator always; others while registration is open and their address has not called too often.</summary>
    private async ValueTask<bool> MayRegisterAsync(HttpContext context)
    {
        if (!_isOpen) return await authentication.RequireAdminAsync(context);
        if (authentication.IsAdmin(context)) return true;
        var decision = _addresses.TryTake(context.Connection.RemoteIpAddress, _clock.Milliseconds);
        if (decision.Allowed) return true;
        await RateLimitHeaders.AnswerRefusedAsync(context, decision, "registrations from one address", time.GetUtcNow());
        return false;
    }

    private async Task<(OrganizationRecord Organization, string Key)> CreateAsync(GenerateRequest request)
    {
        var now = time.GetMilliseconds();
        for (var draw = 0; draw < MaxDraws; draw++)
        {
            var organization = NewAccount.Organization(request.Name, request.Tier, now);
            var (record, text) = NewAccount.Key(organization, request.Live, "default", KeyScopes.All.ToText(), now);
            if (directory.FindByNo(organization.No) is not null) continue;
            AuditedCall.Current?.About(organization.No, organization.Id);
            AuditedCall.Current?.Note("tier", organization.Tier);
            AuditedCall.Current?.Note("key_id", record.Id);
            if (!await CertainWrite.RunAsync(cancelled => store.CreateAsync(organization, record, cancelled))) continue;
            Failpoint.Pass(Failpoint.OrganizationCommitted);
            directory.Add(organization, record);
            return (organization, text);
        }

        throw new StoreException(
            StoreFailure.Fault,
            $"The store called {MaxDraws} random organization numbers in a row taken; look at its organizations table.");
    }

    private static Task AnswerAsync(HttpContext context, OrganizationRecord organization, string key) =>
        Answers.JsonAsync(context, StatusCodes.Status201Created, (organization, key), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteString("organization_id"u8, s.organization.Id);
            writer.WriteString("organization_name"u8, s.organization.Name);
            writer.WriteString("api_key"u8, s.key);
            writer.WriteString("tier"u8, s.organization.Tier);
            writer.WriteNullable("rate_limit_per_minute"u8, s.organization.RateLimitPerMinute);
            writer.WriteTime("created_at"u8, s.organization.CreatedAt);
            writer.WriteString("message"u8, "Organization created. Send the key as X-API-Key with each call.");
            writer.WriteString("warning"u8, "Keep the key safe: it is shown only this once and cannot be recovered, only rotated.");
            writer.WriteEndObject();
        });

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.RegistrationOrganizationCreated, LogLevel.Information,
            "Organization {OrganizationId} created, tier {Tier}, first key for {Mode} use")]
        public static partial void OrganizationCreated(ILogger logger, Guid organizationId, string tier, string mode);
    }
}
