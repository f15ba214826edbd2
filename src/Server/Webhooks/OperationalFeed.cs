using System.IO.Hashing;
using System.Text;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>
/// Puts what organizations are told into their own line of events, like one that they had sent, but past rate limit and quota. Its ordering
/// key is what it is about: an endpoint, or the organization.
/// </summary>
internal sealed partial class OperationalFeed(AccountDirectory accounts, Func<Shard?> shard, bool isOn, ILogger logger)
{
    /// <summary>See <see cref="TellOrganization"/>.</summary>
    public async Task<bool> TellAsync(OperationalEvent told)
    {
        if (!isOn || accounts.FindByNo(told.OrganizationNo) is not { } organization) return true;
        var reason = "the server starts or stops";
        if (shard() is { } open)
        {
            try
            {
                var receipt = await open.Admission.SubmitAsync(organization, EventOf(told), CancellationToken.None);
                if (receipt.Kind is ReceiptKind.Accepted or ReceiptKind.Duplicate) return true;
                reason = open.Troubles() is [var trouble, ..] ? trouble : receipt.Kind.ToString();
            }
            catch (StoreException error)
            {
                reason = error.Message;
            }
        }

        Log.NotTaken(logger, told.Type, told.SubjectId, reason);
        return false;
    }

    private static JournaledEvent EventOf(OperationalEvent told) => new()
    {
        OrganizationNo = told.OrganizationNo,
        Id = default,
        PayloadHash = XxHash3.HashToUInt64(told.Payload),
        Type = Encoding.UTF8.GetBytes(told.Type),
        DedupId = Encoding.UTF8.GetBytes(told.DedupId),
        OrderingKey = Encoding.UTF8.GetBytes(told.SubjectId.ToString()),
        IsOperational = true,
        Payload = told.Payload,
    };

    private static partial class Log
    {
        [LoggerMessage(LogEvents.OperationalFeedNotTaken, LogLevel.Information, "{Type} of {SubjectId} cannot be told now ({Reason})")]
        public static partial void NotTaken(ILogger logger, string type, Guid subjectId, string reason);
    }
}
