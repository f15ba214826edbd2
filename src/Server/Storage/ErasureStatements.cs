using System.Data.Common;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on erasures in the SQL that both stores speak, and what their rows say.</summary>
internal static class ErasureStatements
{
    private const string Columns =
        "organization_no, id, kind, selection, dry_run, through, cursor, matched, erased, ids, journal_erased, requested_at, finished_at";

    /// <summary>
    /// Adds an erasure, unless the organization has so many ($9) others that are unfinished: organization, id, kind, selection, whether it
    /// is a dry run, through, cursor, when it was asked for. The same erasure again changes nothing.
    /// </summary>
    public const string Insert = """
        INSERT INTO erasures (organization_no, id, kind, selection, dry_run, through, cursor, requested_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8
        WHERE (SELECT count(*) FROM erasures j WHERE j.organization_no = $1 AND j.finished_at IS NULL AND j.id <> $2) < $9
        ON CONFLICT (organization_no, id) DO UPDATE SET kind = excluded.kind
        """;

    /// <summary>Ends all of an organization's keys.</summary>
    public const string EndKeys = """
        DELETE FROM api_keys WHERE organization_no = $1
        """;

    /// <summary>An erasure of an organization, by its id.</summary>
    public const string Find = $"""
        SELECT {Columns} FROM erasures WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>The unfinished erasures of all organizations, the oldest first.</summary>
    public const string Unfinished = $"""
        SELECT {Columns} FROM erasures j WHERE j.finished_at IS NULL ORDER BY j.requested_at, j.id
        """;

    /// <summary>An organization's events that were set aside.</summary>
    public const string SetAside = """
        SELECT q.id, q.event FROM quarantine q WHERE q.organization_no = $1 ORDER BY q.id
        """;

    /// <summary>Moves an erasure on, unless it has moved already: organization, id, cursor before, cursor, matched.</summary>
    public const string Move = """
        UPDATE erasures SET cursor = $4, matched = $5 WHERE organization_no = $1 AND id = $2 AND cursor = $3 AND finished_at IS NULL
        """;

    /// <summary>What an erasure has erased: organization, id, how many events, the first of their ids.</summary>
    public const string Note = """
        UPDATE erasures SET erased = $3, ids = $4 WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>Ends an erasure: organization, id, whether the journal is erased too, when.</summary>
    public const string Finish = """
        UPDATE erasures SET selection = '', journal_erased = $3, finished_at = $4 WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>Reads an erasure.</summary>
    public static Erasure Read(DbDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        Kind = (ErasureKind)row.GetInt16(2),
        Selection = row.GetString(3),
        IsDryRun = row.GetBoolean(4),
        Through = row.GetEventId(5),
        Cursor = row.GetEventId(6),
        Matched = row.GetInt64(7),
        Erased = row.GetInt64(8),
        Ids = ErasureColumns.Decode(row.GetString(9)),
        IsJournalErased = row.GetBoolean(10),
        RequestedAt = row.GetTime(11),
        FinishedAt = row.GetTimeOrNull(12),
    };

    /// <summary>Reads a row of <see cref="SetAside"/>.</summary>
    public static ScannedEvent ReadSetAside(DbDataReader row, int organizationNo)
    {
        var id = row.GetEventId(0);
        return new ScannedEvent(id, QuarantinedRow.Decode(organizationNo, id, row.GetFieldValue<byte[]>(1)).Payload.ToArray());
    }
}
