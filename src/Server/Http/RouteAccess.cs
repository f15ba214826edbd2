using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Http;

/// <summary>Who may call a route.</summary>
internal enum RouteCaller
{
    /// <summary>Anyone.</summary>
    Anyone = 0,

    /// <summary>The administrator; while registration is open anyone (<c>POST /api/keys/generate</c> alone).</summary>
    Registrar,

    /// <summary>The administrator.</summary>
    Admin,

    /// <summary>An organization that is not suspended, with a key that has the scopes.</summary>
    Key,
}

/// <summary>Who may call a route, and what a call is named in the audit log.</summary>
/// <param name="Caller">Who.</param>
/// <param name="Scopes">What the key must have; none = any key.</param>
/// <param name="Or">What is enough instead; none = nothing else.</param>
/// <param name="Action">The name of a call that changes something; null = it changes nothing that is audited.</param>
internal sealed record RouteAccess(
    RouteCaller Caller, KeyScopes Scopes = KeyScopes.None, KeyScopes Or = KeyScopes.None, string? Action = null)
{
    /// <summary>Anyone.</summary>
    public static readonly RouteAccess Open = new(RouteCaller.Anyone);

    /// <summary>The administrator.</summary>
    public static readonly RouteAccess Admin = new(RouteCaller.Admin);

    /// <summary>Any key.</summary>
    public static readonly RouteAccess AnyKey = new(RouteCaller.Key);

    public static readonly RouteAccess EventsWrite = new(RouteCaller.Key, KeyScopes.EventsWrite);
    public static readonly RouteAccess InboxRead = new(RouteCaller.Key, KeyScopes.InboxRead);
    public static readonly RouteAccess InboxAck = new(RouteCaller.Key, KeyScopes.InboxAck);
    public static readonly RouteAccess WebhooksManage = new(RouteCaller.Key, KeyScopes.WebhooksManage);
    public static readonly RouteAccess KeysManage = new(RouteCaller.Key, KeyScopes.KeysManage);

    /// <summary>Whoever may read events, or may send them again.</summary>
    public static readonly RouteAccess ReplaysRead = new(RouteCaller.Key, KeyScopes.InboxRead, Or: KeyScopes.WebhooksManage);

    /// <summary>The same, with an entry in the audit log for each call that changes something.</summary>
    public RouteAccess Audited(string action) => this with { Action = action };
}
