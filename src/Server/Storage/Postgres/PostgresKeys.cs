namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Look-ups of many keys, each by itself along the primary key. <c>= ANY</c> leaves the planner the choice to read <em>all</em> rows of the
/// organization in order and to compare each with the list, which it takes where it has no statistics yet, as with a day's table in its
/// first minute: an acknowledgement of 1,000 among ten million events took 2.5 s so, and takes 5 ms this way. OFFSET 0 keeps it from making
/// that of it again.
/// </summary>
internal static class PostgresKeys
{
    /// <summary>The organization <c>$1</c> with each of the ids <c>$2</c>, to join with all columns of a key that it has.</summary>
    public const string Given = """
        (SELECT $1::integer AS organization_no, u.id FROM unnest($2::uuid[]) AS u (id) OFFSET 0)
        """;

    /// <summary>Those of the ids <c>$2</c> that are events of the organization <c>$1</c>: rows <c>k.id</c>, <c>e.id</c>.</summary>
    public const string FoundEvents = """
        unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (SELECT x.id FROM events x WHERE x.organization_no = $1 AND x.id = k.id OFFSET 0) e
        """;
}
