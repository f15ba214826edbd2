using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;
using ZapierTriggers.Server.Ingest;

namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>The small readers of text from outside; the first byte of the input chooses one.</summary>
internal static class TextsTarget
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly AddressGuard Guard = new(new DeliveryOptions(), () => []);
    private static readonly Action<string>[] Readers = [ReadInbox, ReadEventId, ReadKey, ReadRetryAfter, ReadIdempotencyKey, ReadUrl,
        ReadHeaderText, ReadSettingTexts, ReadMediaType];

    /// <summary>Runs one text.</summary>
    public static void Run(byte[] input)
    {
        if (input.Length > 0) Readers[input[0] % Readers.Length](Encoding.UTF8.GetString(input.AsSpan(1)));
    }

    private static void ReadInbox(string text)
    {
        var query = InboxParameters.Read(new QueryCollection(QueryHelpers.ParseQuery("?" + text)), 7, out var error);
        Finding.Unless(query is null == (error is not null), "either a query or an error");
        Finding.Unless(query is null or
        {
            OrganizationNo: 7, Limit: >= 1 and <= 1_000, Offset: >= 0 and <= 10_000,
            Type: null or { Length: >= 1 and <= 255 }
        }, $"{query} was taken");
    }

    private static void ReadEventId(string text)
    {
        if (!EventId.TryParse(text, out var id)) return;
        Finding.Unless(string.Equals(id.ToString(), text, StringComparison.OrdinalIgnoreCase), $"{text} was read as {id}");
    }

    private static void ReadKey(string text)
    {
        if (!KeyFormat.IsWellFormed(text)) return;
        Finding.Unless(text.All(char.IsAsciiLetterOrDigit) || text.Count(c => c == '_') == 2, $"{text} was taken for a key");
        _ = KeyFormat.PrefixOf(text);
    }

    private static void ReadRetryAfter(string text) =>
        Finding.Unless(RetryAfter.Parse(text, Now) is not { } wait || (wait >= TimeSpan.Zero && wait <= RetryAfter.Longest),
            $"{text} is too long or negative");

    private static void ReadIdempotencyKey(string text)
    {
        var key = IdempotencyKey.Read(new HeaderDictionary { ["Idempotency-Key"] = text }, default);
        if (key.Refusal is null) Finding.Unless(Encoding.UTF8.GetString(
            key.DedupId.Span).EnumerateRunes().Count() <= EventLimits.MaxTextCharacters, "the key is too long");
    }

    private static void ReadUrl(string text)
    {
        var refusal = Guard.CheckUrl(text, out var uri);
        if (refusal != UrlRefusal.None)
        {
            Finding.Unless(refusal.Explain().Length > 0, $"{refusal} has no words");
            return;
        }

        Finding.Unless(uri is { Scheme: "http" or "https", UserInfo: "", Fragment: "" } && text.Length <= 2_048,
            $"{text} was taken as {uri}");
        Finding.Unless(AddressGuard.LiteralOf(uri!) is not { } address || !System.Net.IPAddress.IsLoopback(address),
            $"{text} leads to this machine");
    }

    private static void ReadHeaderText(string text) =>
        Finding.Unless(HeaderText.Encode(text).All(c => c is >= ' ' and <= '~'), $"{text} is {HeaderText.Encode(text)}");

    private static void ReadSettingTexts(string text)
    {
        if (SettingText.TryReadSize(text, out var size)) Finding.Unless(size >= 0, $"{text} is {size} bytes");
        _ = SettingText.TryReadDuration(text, out _);
        _ = SettingText.TryReadSwitch(text, out _);
    }

    private static void ReadMediaType(string text)
    {
        var isAccepted = MediaTypes.IsAcceptedJson(new HeaderDictionary { ["Content-Type"] = text }, out var refusal);
        Finding.Unless(isAccepted == (refusal is null), "either taken or refused with words");
        Finding.Unless(!isAccepted || text.Contains("json", StringComparison.OrdinalIgnoreCase) || text.Length == 0,
            $"{text} was taken for JSON");
    }
}
