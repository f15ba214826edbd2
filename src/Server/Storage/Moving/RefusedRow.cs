using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Moving;

/// <summary>An event that SQLite holds and Postgres refuses: it goes where the server itself would have set it aside.</summary>
/// <param name="Event">The event.</param>
internal readonly record struct RefusedRow(JournaledEvent Event)
{
    /// <summary>The shard of its column.</summary>
    public const int Shard = 0;

    /// <summary>The reason of its column.</summary>
    public const string Reason = "Moved from SQLite: PostgreSQL's text cannot hold U+0000.";

    /// <summary>Appends the row that it becomes.</summary>
    public void WriteTo(CopyRows rows, MovedTable quarantine)
    {
        rows.BeginRow(quarantine.Columns.Count);
        foreach (var (name, kind) in quarantine.Columns)
        {
            switch (name)
            {
                case "organization_no": rows.WriteNumber(kind, Event.OrganizationNo); break;
                case "id": rows.WriteBytes(Event.Id.ToByteArray()); break;
                case "shard": rows.WriteNumber(kind, Shard); break;
                case "event": rows.WriteBytes(QuarantinedRow.Encode(Event)); break;
                case "reason": rows.WriteText(System.Text.Encoding.UTF8.GetBytes(Reason)); break;
                case "at": rows.WriteNumber(kind, Event.Id.UnixMilliseconds); break;
                default: rows.WriteNull(); break;
            }
        }
    }
}
