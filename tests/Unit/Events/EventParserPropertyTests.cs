using System.Text;
using CsCheck;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>The parser against System.Text.Json on generated and damaged bodies.</summary>
public sealed class EventParserPropertyTests
{
    [Fact]
    public void Generated_events_are_read_as_the_oracle_reads_them() =>
        JsonGen.Event.Sample(body => AssertAgrees(Encoding.UTF8.GetBytes(body)), iter: 10_000);

    [Fact]
    public void Damaged_events_are_read_as_the_oracle_reads_them() =>
        JsonGen.Mutated(JsonGen.Event).Sample(AssertAgrees, iter: 30_000);

    [Fact]
    public void Damaged_payloads_are_judged_as_the_oracle_judges_them() =>
        JsonGen.Mutated(JsonGen.Value).Sample(
            value => AssertAgrees([.. "{\"type\":\"t\",\"payload\":{\"a\":"u8, .. value, .. "}}"u8]),
            iter: 30_000);

    [Fact]
    public void A_body_cut_off_anywhere_is_never_taken() =>
        JsonGen.Event.Sample(
            text =>
            {
                var body = Encoding.UTF8.GetBytes(text.TrimEnd(' ', '\t', '\r', '\n'));
                for (var length = 0; length < body.Length; length++)
                {
                    Assert.True(ParsedEvent.Of(body.AsSpan(0, length)).Error.IsInvalidJson(), $"{length} bytes of {text}");
                }
            },
            iter: 300);

    [Fact]
    public void The_generators_reach_acceptance_and_every_error()
    {
        var seen = new HashSet<EventParseError>();
        var bodies = Gen.OneOf(JsonGen.Event.Select(Encoding.UTF8.GetBytes), JsonGen.Mutated(JsonGen.Event));
        bodies.Sample(body => { seen.Add(ParsedEvent.Of(body).Error); }, iter: 40_000, threads: 1);
        EventParseError[] tooRare = [EventParseError.ByteOrderMark, EventParseError.TooDeep, EventParseError.Empty];
        var own = Enum.GetValues<EventParseError>().Where(error => error < EventParseError.CloudEventVersion);
        Assert.Empty(own.Except(seen).Except(tooRare));
    }

    private static void AssertAgrees(byte[] body)
    {
        var actual = ParsedEvent.Of(body);
        var error = actual.Error.IsInvalidJson() ? EventParseError.Malformed : actual.Error;
        Assert.Equal(JsonOracle.Parse(body), actual with { Error = error, Position = 0 });
        Assert.InRange(actual.Position, 0, body.Length);
    }
}
