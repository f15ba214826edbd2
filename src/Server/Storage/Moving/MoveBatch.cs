using ZapierTriggers.Server.Storage.Postgres;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Server.Storage.Moving;

/// <summary>The rows of one transaction of a move.</summary>
internal sealed class MoveBatch(MovedTable table, SqliteTableReader reader, CopyRows rows)
{
    private readonly bool _isOfEvents = table.Name == MovedTable.Events;

    /// <summary>Rows taken, those that are set aside among them.</summary>
    public int Count { get; private set; }

    /// <summary>The days of the events in it.</summary>
    public SortedSet<DateOnly> Days { get; } = [];

    /// <summary>Events that go to the quarantine instead.</summary>
    public List<RefusedRow> Refused { get; } = [];

    /// <summary>Takes the next rows up to that many bytes; false when there are no more.</summary>
    public bool Fill(int bytes)
    {
        rows.Clear();
        Days.Clear();
        Refused.Clear();
        Count = 0;
        while (rows.Written.Length < bytes)
        {
            if (!reader.Next()) return false;
            Count++;
            if (!_isOfEvents)
            {
                reader.WriteTo(rows);
            }
            else if (reader.HasZero())
            {
                Refused.Add(new RefusedRow(reader.ReadEvent()));
            }
            else
            {
                Days.Add(PostgresPartitions.DayOf(reader.Id(table.IndexOf("id"))));
                reader.WriteTo(rows);
            }
        }

        return true;
    }
}
