using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// The call under way that changes something, from its route to the store that adds its audit entry to the transaction of the change. It
/// flows with the call (an <see cref="AsyncLocal{T}"/>), because between route and store there is code that has no business with it. A
/// call has one entry, whose id stays the same when a write is repeated after a lost reply. Used by one thread at a time.
/// </summary>
internal sealed class AuditedCall
{
    private const int CounterBits = 12;
    private static readonly AsyncLocal<AuditedCall?> Flowing = new();
    private static long _lastId;

    private readonly SortedDictionary<string, object?> _details = new(StringComparer.Ordinal);
    private readonly Guid _id;
    private readonly DateTimeOffset _at;
    private readonly string _action;
    private readonly string? _address;
    private readonly string _requestId;
    private (int No, Guid? Id)? _organization;
    private (Guid Id, string Prefix)? _key;
    private bool _isAdmin;
    private volatile bool _isOver;

    private AuditedCall(string action, DateTimeOffset at, string? address, string requestId)
    {
        (_action, _at, _address, _requestId) = (action, at, address, requestId);
        _id = NextId(at.ToUnixTimeMilliseconds());
    }

    /// <summary>The call under way; null outside of one. Work that a call has started and that outlives it is outside.</summary>
    public static AuditedCall? Current => Flowing.Value is { _isOver: false } call ? call : null;

    /// <summary>Begins a call; it flows from here on in the caller's method, and is to be ended with <see cref="End"/>.</summary>
    public static AuditedCall Begin(string action, DateTimeOffset at, string? address, string requestId)
    {
        var call = new AuditedCall(action, at, address, requestId);
        Flowing.Value = call;
        return call;
    }

    /// <summary>
    /// The entry to add for a change of the organization's (0 = the server's); null when the change is not that of a call under way. Work
    /// that is done for another organization on the way is not the call's.
    /// </summary>
    public static AuditEntry? EntryFor(int organizationNo, string target) => Current is { } call && call._organization?.No == organizationNo
        ? call.Entry(target)
        : null;

    /// <summary>The same for what has a UUID.</summary>
    public static AuditEntry? EntryFor(int organizationNo, Guid target) => EntryFor(organizationNo, target.ToString());

    /// <summary>The call is over.</summary>
    public void End() => _isOver = true;

    /// <summary>It came with this key, and is about the key's organization.</summary>
    public void By(ApiKey key)
    {
        _key = (key.Record.Id, key.Record.Prefix);
        About(key.Organization.No, key.Organization.Id);
    }

    /// <summary>It came with the admin token.</summary>
    public void ByAdmin() => _isAdmin = true;

    /// <summary>It is about this organization; 0 and null = about the server.</summary>
    public void About(int organizationNo, Guid? organizationId) => _organization = (organizationNo, organizationId);

    /// <summary>Notes a detail: a text, a number, a list of texts or null. Never a secret.</summary>
    public void Note(string name, object? value) => _details[name] = value;

    private AuditEntry Entry(string target) => new()
    {
        OrganizationNo = _organization!.Value.No,
        OrganizationId = _organization.Value.Id,
        Id = _id,
        At = DateTimeOffset.FromUnixTimeMilliseconds(_at.ToUnixTimeMilliseconds()),
        Actor = _isAdmin ? "admin" : _key is null ? "anyone" : "key",
        KeyId = _key?.Id,
        KeyPrefix = _key?.Prefix,
        Action = _action,
        Target = target,
        Details = WriteDetails(),
        Address = _address,
        RequestId = _requestId,
    };

    /// <summary>
    /// A UUIDv7 greater than each before it in this process, since entries are listed by it: time, then a counter, the rest at random (RFC
    /// 9562, 6.2, method 1).
    /// </summary>
    private static Guid NextId(long unixMilliseconds)
    {
        long last, next;
        do
        {
            last = Volatile.Read(ref _lastId);
            next = Math.Max(unixMilliseconds << CounterBits, last + 1);
        }
        while (Interlocked.CompareExchange(ref _lastId, next, last) != last);

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, (next >> CounterBits << 16) | 0x7000 | (next & ((1 << CounterBits) - 1)));
        RandomNumberGenerator.Fill(bytes[8..]);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    private string WriteDetails()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in _details) WriteDetail(writer, name, value);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteDetail(Utf8JsonWriter writer, string name, object? value)
    {
        if (value is null)
        {
            writer.WriteNull(name);
        }
        else if (value is int number)
        {
            writer.WriteNumber(name, number);
        }
        else if (value is IEnumerable<string> texts)
        {
            writer.WriteStartArray(name);
            foreach (var text in texts) writer.WriteStringValue(text);
            writer.WriteEndArray();
        }
        else
        {
            writer.WriteString(name, value.ToString());
        }
    }
}
