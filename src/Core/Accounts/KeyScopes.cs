namespace ZapierTriggers.Core.Accounts;

/// <summary>What a key may do.</summary>
[Flags]
internal enum KeyScopes
{
    None = 0,

    /// <summary><c>events:write</c>: send events.</summary>
    EventsWrite = 1,

    /// <summary><c>inbox:read</c>: list and read events.</summary>
    InboxRead = 2,

    /// <summary><c>inbox:ack</c>: acknowledge events.</summary>
    InboxAck = 4,

    /// <summary><c>webhooks:manage</c>: set up endpoints and replay.</summary>
    WebhooksManage = 8,

    /// <summary><c>keys:manage</c>: list, make, rotate and end keys.</summary>
    KeysManage = 16,

    /// <summary>Everything; what an organization's first key has.</summary>
    All = EventsWrite | InboxRead | InboxAck | WebhooksManage | KeysManage,
}

/// <summary>The text form of scopes, as stored and sent.</summary>
internal static class KeyScopeNames
{
    private static readonly (KeyScopes Scope, string Name)[] Names =
    [
        (KeyScopes.EventsWrite, "events:write"),
        (KeyScopes.InboxRead, "inbox:read"),
        (KeyScopes.InboxAck, "inbox:ack"),
        (KeyScopes.WebhooksManage, "webhooks:manage"),
        (KeyScopes.KeysManage, "keys:manage"),
    ];

    /// <summary>The names of all scopes in the set, in the contract's order.</summary>
    public static IEnumerable<string> NamesOf(this KeyScopes scopes) =>
        Names.Where(pair => scopes.HasFlag(pair.Scope)).Select(pair => pair.Name);

    /// <summary>The stored form: names, space-separated.</summary>
    public static string ToText(this KeyScopes scopes) => string.Join(' ', scopes.NamesOf());

    /// <summary>Reads the stored form. A name that this version does not know grants nothing.</summary>
    public static KeyScopes Parse(string text)
    {
        var scopes = KeyScopes.None;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            scopes |= Find(word);
        }

        return scopes;
    }

    /// <summary>The scope with this name; none when there is none.</summary>
    public static KeyScopes Find(string name) => Names.FirstOrDefault(pair => pair.Name == name).Scope;
}
