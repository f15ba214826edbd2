using System.Diagnostics.CodeAnalysis;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server.Accounts;

/// <summary>Who is calling: an organization by its key, or the administrator by the admin token.</summary>
internal sealed class Authentication(AccountDirectory directory, AdminToken adminToken)
{
    /// <summary>
    /// Whether keys can be told valid from invalid: not before the accounts are loaded, and then nobody is to be refused for a key.
    /// </summary>
    public bool IsOpen => directory.IsLoaded;

    /// <summary>
    /// Finds the caller's key: synchronous, in memory, without allocation for a key used before. Refuse with <see cref="RefuseAsync"/>.
    /// </summary>
    public bool TryAuthenticate(HttpContext context, [NotNullWhen(true)] out ApiKey? key)
    {
        var presented = Credentials.Of(context);
        key = presented.IsEmpty ? null : directory.Authenticate(presented);
        return key is not null;
    }

    /// <summary>Answers a caller without a valid key: 401, telling a missing key from a wrong one.</summary>
    public static Task RefuseAsync(HttpContext context) => Credentials.Of(context).IsEmpty
        ? Answers.ProblemAsync(context, Problem.MissingApiKey, "Send your API key as X-API-Key: <key> or as Authorization: Bearer <key>.")
        : Answers.ProblemAsync(
            context,
            Problem.InvalidApiKey,
            "This API key is not valid: mistyped, rotated, revoked or expired. Send a current key of your organization.");

    /// <summary>
    /// The caller's key, whatever it may do, or null after it has answered 401, or 403 when its organization is suspended.
    /// </summary>
    public ValueTask<ApiKey?> AuthenticateOrAnswerAsync(HttpContext context) => AuthenticateOrAnswerAsync(context, KeyScopes.None);

    /// <summary>The caller's key if it may do this, or null after it has answered 401 or 403.</summary>
    public ValueTask<ApiKey?> AuthenticateOrAnswerAsync(HttpContext context, KeyScopes required)
    {
        if (!TryAuthenticate(context, out var key)) return NullAfterAsync(RefuseAsync(context));
        if (!Allows(key, required)) return NullAfterAsync(RefuseUseAsync(context, key, required));
        AuditedCall.Current?.By(key);
        return ValueTask.FromResult<ApiKey?>(key);
    }

    /// <summary>Whether the key has all of these scopes and its organization is not suspended.</summary>
    public static bool Allows(ApiKey key, KeyScopes required) => (key.Scopes & required) == required && !key.Organization.IsSuspended;

    /// <summary>
    /// Answers a caller with a valid key that is not allowed to: 403, for a suspended organization or a scope that is lacking.
    /// </summary>
    public static Task RefuseUseAsync(HttpContext context, ApiKey key, KeyScopes required) => key.Organization.IsSuspended
        ? Answers.ProblemAsync(
            context,
            Problem.OrganizationSuspended,
            "Your organization is suspended: nothing is taken or shown, and webhooks wait. Ask the administrator of this server.")
        : RefuseScopeAsync(context, required & ~key.Scopes);

    /// <summary>Answers a caller who lacks scopes: 403.</summary>
    public static Task RefuseScopeAsync(HttpContext context, KeyScopes lacking) => Answers.ProblemAsync(
        context,
        Problem.InsufficientScope,
        $"This call needs a key with the scope {lacking.ToText()}; use another key of your organization.",
        ("required_scope", lacking.ToText()));

    /// <summary>Whether the caller presents the admin token. Answers nothing.</summary>
    public bool IsAdmin(HttpContext context)
    {
        var presented = Credentials.Of(context);
        if (presented.IsEmpty || !adminToken.Matches(presented)) return false;
        AuditedCall.Current?.ByAdmin();
        return true;
    }

    /// <summary>Whether the caller presents the token that was replaced, while it is still valid.</summary>
    public bool IsFormerAdmin(HttpContext context) => adminToken.IsFormer(Credentials.Of(context));

    /// <summary>True for the administrator; false after it has answered 401.</summary>
    public async ValueTask<bool> RequireAdminAsync(HttpContext context)
    {
        if (IsAdmin(context)) return true;
        await (Credentials.Of(context).IsEmpty
            ? Answers.ProblemAsync(
                context, Problem.MissingAdminToken, "This call needs the admin token, sent as X-API-Key or as Authorization: Bearer.")
            : Answers.ProblemAsync(
                context,
                Problem.InvalidAdminToken,
                "This is not the admin token. It was shown at the first start and is kept in the data directory."));
        return false;
    }

    private static async ValueTask<ApiKey?> NullAfterAsync(Task answer)
    {
        await answer;
        return null;
    }
}
