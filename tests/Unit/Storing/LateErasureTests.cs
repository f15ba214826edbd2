using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Storing;

/// <summary>What is kept of an erasure means the same events as the erasure itself, and does not say by which value.</summary>
public sealed class LateErasureTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly EventId Through = EventId.LowerBound(Noon);

    [Theory]
    [InlineData("""{"user_id":"7"}""", "user_id", "\"7\"")]
    [InlineData("""{"user_id":7}""", "user_id", "\"7\"")]
    [InlineData("""{"user_id":7}""", "user_id", "8")]
    [InlineData("""{"user_id":7.0}""", "user_id", "7")]
    [InlineData("""{"user_id":7e0}""", "user_id", "7.00")]
    [InlineData("""{"user_id":-0}""", "user_id", "0.0")]
    [InlineData("""{"user_id":1e400}""", "user_id", "1e400")]
    [InlineData("""{"user_id":1e40}""", "user_id", "1.0e40")]
    [InlineData("""{"user_id":0.1}""", "user_id", "0.10000000000000001")]
    [InlineData("""{"user_id":12345678901234567890123456789012}""", "user_id", "12345678901234567890123456789012")]
    [InlineData("""{"user_id":9007199254740993}""", "user_id", "9007199254740992")]
    [InlineData("""{"user_id":79228162514264337593543950335}""", "user_id", "79228162514264337593543950335.0")]
    [InlineData("""{"user":{"id":"\u0061"}}""", "user.id", "\"a\"")]
    [InlineData("""{"user":{"id":"A"}}""", "user.id", "\"a\"")]
    [InlineData("""{"user":{"id":"\ud800"}}""", "user.id", "\"a\"")]
    [InlineData("""{"user":["id"]}""", "user.id", "\"id\"")]
    [InlineData("""{"user":{"id":null}}""", "user.id", "null")]
    [InlineData("""{"user":{"id":"null"}}""", "user.id", "null")]
    [InlineData("""{"user":{}}""", "user.id", "null")]
    [InlineData("""{"user":{"id":true}}""", "user.id", "true")]
    [InlineData("""{"user":{"id":false}}""", "user.id", "true")]
    [InlineData("""{"user":{"id":{}}}""", "user.id", "null")]
    public void It_means_the_events_that_the_erasure_means(string payload, string path, string equal)
    {
        var selection = new ErasureSelection { Path = path.Split('.'), EqualTo = equal };

        Assert.Equal(selection.Matches(Encoding.UTF8.GetBytes(payload)), Late(selection).Includes(Event(payload)));
    }

    [Fact]
    public void The_value_is_not_in_it()
    {
        var selection = new ErasureSelection { Path = ["email"], EqualTo = "\"someone@example.com\"" };
        var (one, two) = (LateErasure.Write(New(selection)), LateErasure.Write(New(selection)));

        Assert.DoesNotContain("someone", one, StringComparison.Ordinal);
        Assert.NotEqual(one, two); // keyed: one cannot be looked up by another
    }

    [Fact]
    public void Type_time_and_the_erasures_own_time_are_asked_too()
    {
        var payload = """{"a":1}""";
        var selection = new ErasureSelection { Path = ["a"], EqualTo = "1" };
        Assert.True(Late(selection).Includes(Event(payload)));
        Assert.False(Late(selection).Includes(Event(payload, Noon.AddMilliseconds(2))));
        Assert.False(Late(selection).Includes(Event(payload) with { OrganizationNo = 8 }));
        Assert.True(Late(selection with { Type = "t" }).Includes(Event(payload)));
        Assert.False(Late(selection with { Type = "u" }).Includes(Event(payload)));
        Assert.True(Late(selection with { From = Noon.AddHours(-1) }).Includes(Event(payload, Noon.AddHours(-1))));
        Assert.False(Late(selection with { From = Noon.AddHours(-1) }).Includes(Event(payload, Noon.AddHours(-2))));
        Assert.False(Late(selection with { To = Noon.AddHours(-1) }).Includes(Event(payload, Noon.AddHours(-1))));
        Assert.True(Late(selection with { To = Noon.AddHours(-1) }).Includes(Event(payload, Noon.AddHours(-2))));
    }

    [Fact]
    public void Ids_are_meant_whenever_they_were_accepted()
    {
        var item = Event("{}", Noon.AddHours(1)); // by a clock that was ahead
        var late = Late(new ErasureSelection { EventIds = [new EventId(1, 1), item.Id] });

        Assert.True(late.Includes(item));
        Assert.False(late.Includes(Event("{}")));
    }

    [Fact]
    public void Of_a_dry_run_and_of_an_organization_nothing_is_kept()
    {
        var selection = new ErasureSelection { EventIds = [new EventId(1, 1)] };

        Assert.Equal("", LateErasure.Write(New(selection) with { IsDryRun = true }));
        Assert.Equal("", LateErasure.Write(New(selection) with { Kind = ErasureKind.Organization, Selection = "" }));
    }

    [Fact]
    public void An_organization_goes_before_what_was_erased_of_it()
    {
        var item = Event("""{"a":1}""");
        LateErasure[] erasures = [Late(new ErasureSelection { Path = ["a"], EqualTo = "1" }), LateErasure.OfOrganization(7)];

        var found = Assert.Single(LateErasure.Find(new[] { item, item with { OrganizationNo = 8 } }, erasures));

        Assert.Equal((item.Id, true), (found.Event.Id, found.By.IsOrganization));
    }

    private static LateErasure Late(ErasureSelection selection)
    {
        var erasure = New(selection);
        return LateErasure.Read(erasure.OrganizationNo, erasure.Id, erasure.Through, LateErasure.Write(erasure));
    }

    private static Erasure New(ErasureSelection selection) => new()
    {
        OrganizationNo = 7,
        Id = Guid.NewGuid(),
        Kind = ErasureKind.Events,
        Selection = selection.Write(),
        Through = Through,
        RequestedAt = Noon,
    };

    private static JournaledEvent Event(string payload, DateTimeOffset? at = null) => new()
    {
        OrganizationNo = 7,
        Id = EventId.LowerBound(at ?? Noon.AddMinutes(-1)),
        PayloadHash = 1,
        Type = "t"u8.ToArray(),
        DedupId = default,
        OrderingKey = default,
        Payload = Encoding.UTF8.GetBytes(payload),
    };
}
