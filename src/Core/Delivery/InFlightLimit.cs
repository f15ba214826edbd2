namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// How many tries one endpoint gets at the same time: starts small, one more for each success (so it doubles each round while all goes
/// well), half after a failure, as TCP does (RFC 5681, 3.1). Failures of tries that started before the last cut do not cut again. Not safe
/// for concurrent use: its lane guards it.
/// </summary>
internal sealed class InFlightLimit(int most)
{
    private int _most = most;

    /// <summary>
    /// Where it starts: until an endpoint has answered once it may be one that hangs, and takes no more than one of the places for these.
    /// </summary>
    public const int Initial = 1;

    /// <summary>The most for an endpoint that answers slowly: it shares its places with all other slow ones.</summary>
    public const int MostWhenSlow = 16;

    /// <summary>The limit now, at least 1.</summary>
    public int Value { get; private set; } = Math.Min(Initial, most);

    /// <summary>Raised by each cut; a try notes it when it starts.</summary>
    public int Epoch { get; private set; }

    /// <summary>A try succeeded.</summary>
    public void Succeeded(bool slow) => Value = Math.Max(1, Math.Min(Value + 1, slow ? Math.Min(_most, MostWhenSlow) : _most));

    /// <summary>Changes the most it may be.</summary>
    public void SetMost(int most)
    {
        _most = most;
        Value = Math.Min(Value, most);
    }

    /// <summary>A try that started in <paramref name="epoch"/> failed.</summary>
    public void Failed(int epoch)
    {
        if (epoch != Epoch) return;
        Epoch++;
        Value = Math.Max(1, Value / 2);
    }

    /// <summary>The endpoint has turned slow: one at a time until it answers.</summary>
    public void Collapse()
    {
        Epoch++;
        Value = 1;
    }
}
