using System.Runtime.InteropServices;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Who may have how many of the places for tries. Some of those that are not slow are kept for endpoints that answer, and more for those
/// that do not fail. An organization may hold no more of a kind than its share of what it leaves to others (dynamic thresholds: Choudhury
/// and Hahne 1998): alone it gets a half or more, with n others an n-th, and something is always left for one that has none. Not safe for
/// concurrent use: <see cref="Turns"/> guards it.
/// </summary>
internal sealed class PlaceShares(DeliveryOptions options)
{
    /// <summary>Those that answer soon give places back soon: an organization may have three times what it leaves.</summary>
    private const int SoonShare = 3;

    private readonly int _mostUnproven = options.MaxInFlight - (options.MaxInFlight / 4);
    private readonly int _mostFailing = options.MaxInFlight - (options.MaxInFlight / 2);
    private readonly int _mostDoubtful = Math.Max(options.MaxSlowInFlight, options.MaxInFlight);
    private readonly Dictionary<int, Held> _byOrganization = [];
    private Held _all;
    private int _failing;

    /// <summary>All places that are taken.</summary>
    public int InUse => _all.Soon + _all.Slow;

    /// <summary>Whether there is a place on the slow side.</summary>
    public bool HasSlowRoom => _all.Slow < options.MaxSlowInFlight;

    /// <summary>Whether there is a place for a lane of this standing.</summary>
    public bool HasRoom(LaneStanding standing) => standing switch
    {
        LaneStanding.Slow => HasSlowRoom,
        LaneStanding.Fails => _failing < _mostFailing && _all.Unproven < _mostUnproven && _all.Soon < options.MaxInFlight,
        LaneStanding.Unknown => _all.Unproven < _mostUnproven && _all.Soon < options.MaxInFlight,
        _ => _all.Soon < options.MaxInFlight,
    };

    /// <summary>Whether the organization may have one more of them.</summary>
    public bool MayTake(int organizationNo, LaneStanding standing)
    {
        var held = _byOrganization.GetValueOrDefault(organizationNo);
        if (standing == LaneStanding.Slow) return IsShare(held.Slow, options.MaxSlowInFlight - _all.Slow);
        if (!IsShare(held.Soon, SoonShare * (options.MaxInFlight - _all.Soon))) return false;

        // What is not known to answer may hang: it will want a place on the slow side.
        return standing == LaneStanding.Answers || IsShare(held.Doubtful, _mostDoubtful - _all.Doubtful);
    }

    /// <summary>Takes a place.</summary>
    public void Take(int organizationNo, LaneStanding standing) => Change(organizationNo, standing, 1);

    /// <summary>Gives one back.</summary>
    public void Return(int organizationNo, LaneStanding standing) => Change(organizationNo, standing, -1);

    private static bool IsShare(int held, int most) => held == 0 || held < most;

    private void Change(int organizationNo, LaneStanding standing, int by)
    {
        ref var held = ref CollectionsMarshal.GetValueRefOrAddDefault(_byOrganization, organizationNo, out _);
        held = held.Changed(standing, by);
        _all = _all.Changed(standing, by);
        if (standing == LaneStanding.Fails) _failing += by;
        if (held == default) _byOrganization.Remove(organizationNo);
    }

    /// <summary>Places held: not slow ones, those of them whose lanes are not known to answer, and slow ones.</summary>
    private readonly record struct Held(int Soon, int Unproven, int Slow)
    {
        public int Doubtful => Unproven + Slow;

        public Held Changed(LaneStanding standing, int by) => standing switch
        {
            LaneStanding.Slow => this with { Slow = Slow + by },
            LaneStanding.Answers => this with { Soon = Soon + by },
            _ => this with { Soon = Soon + by, Unproven = Unproven + by },
        };
    }
}
