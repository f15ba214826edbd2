namespace ZapierTriggers.Core.Operations;

/// <summary>
/// The ids of all log entries, by thousands: 1000 journal and sequencer, 2000 store and store writer, 3000 delivery, 4000 accounts and
/// inbox, 5000 operations. A constant is named after the class and the method that logs it, whose message says what happened. An id is
/// never used for another meaning again; a test holds ids unique and every <c>[LoggerMessage]</c> to this table. From warning on each has a
/// remedy. docs/log-events.md is made from it.
/// </summary>
internal static class LogEvents
{
    // 1000: journal and sequencer
    [Remedy("Look after the disk, then restart: what the ring still holds is written anew.")]
    public const int JournalWriterPoisoned = 1001;
    [Remedy("Free space on the data directory's disk; events are taken again by themselves.")]
    public const int SegmentSupplyNoSpace = 1002;
    public const int SegmentSupplySpaceAgain = 1003;
    [Remedy("Look after the disk. The event's id is known, its bytes are lost unless a backup of the segment has them.")]
    public const int JournalReaderDamaged = 1011;
    [Remedy("Stop, restore the segment from a backup if there is one, start. Without one, make the file that is named to say "
        + "that you know.")]
    public const int JournalReaderGap = 1012;
    [Remedy("As 1012, and look after the disk.")]
    public const int JournalReaderBroken = 1013;
    public const int JournalRecoveryReplaying = 1021;
    public const int JournalRecoveryFromRing = 1022;
    public const int JournalRecoveryTorn = 1023;
    [Remedy("As 1012, and look after the disk.")]
    public const int JournalRecoveryLost = 1024;
    [Remedy("Nothing more: the gap was acknowledged. Producers may send again what was accepted at that time.")]
    public const int JournalRecoveryLostByConsent = 1025;
    [Remedy("Where an answered event must survive this: Ingest:AckWhen = synced. Producers may send again what they sent just before.")]
    public const int JournalRecoveryPowerCut = 1026;
    public const int SegmentErasureRewritten = 1031;
    [Remedy("Report it with the entry's exception. Producers of events without an answer send again, with their dedup id.")]
    public const int SequencerFault = 1101;
    [Remedy("Report it with the entry's exception, and watch zapier_dedup_bytes.")]
    public const int ShardDedupFault = 1111;
    [Remedy("Look after the data directory's disk. Events are taken as ever; dedup ids cost a query each for a day.")]
    public const int ShardIdsNotTaken = 1112;
    [Remedy("As 1112.")]
    public const int ShardIdsNotLeft = 1113;

    // 2000: stores and store writer
    [Remedy("Mend the database; storing goes on by itself, and the journal keeps the events meanwhile.")]
    public const int StoreWriterAway = 2001;
    public const int StoreWriterStoringAgain = 2002;
    [Remedy("Look at the row of the table quarantine and its reason, mend what refuses it, and insert the event by hand.")]
    public const int StoreWriterSetAside = 2003;
    [Remedy("Two servers use one shard: stop one of them, restart the one that is to go on. After a failover: restart.")]
    public const int StoreWriterFenced = 2004;
    [Remedy("Report it with the entry's exception if it comes again and again.")]
    public const int StoreWriterFault = 2005;
    [Remedy("As 2003; the event is in the file that is named: remove it when the event is inserted.")]
    public const int StoreWriterKeptInFile = 2006;
    public const int StoreWriterErasedLate = 2007;
    [Remedy("Mend the database. Without partitions made ahead the store writer makes the day that it needs.")]
    public const int StoreUpkeepNotDone = 2102;
    [Remedy("Mend the database. Expired events are not shown meanwhile, only their space is not free yet.")]
    public const int StoreUpkeepNotExpired = 2103;
    public const int ErasureRunnerFinished = 2111;
    [Remedy("Mend the database or the disk that the reason names; the erasure goes on by itself.")]
    public const int ErasureRunnerNotDone = 2112;
    public const int ErasureWatchForgotten = 2121;
    [Remedy("Look after the disk; what the journal cannot lose now goes with its segments after `Journal:RetainFor`.")]
    public const int ErasureWatchInJournal = 2122;
    [Remedy("Bring the database back; what was erased meanwhile is read then.")]
    public const int ErasureWatchNotRead = 2123;
    [Remedy("Mend the database; until then pages of pending events may be slow.")]
    public const int InboxMarkAdvancerNotDone = 2131;
    public const int InboxMarkAdvancerAdvanced = 2132;

    [Remedy("Start the database, or correct what the reason names; the server goes on by itself.")]
    public const int StoreWaitWaiting = 2201;
    public const int StoreWaitIsThere = 2202;

    // 3000: delivery
    public const int DispatcherStarted = 3000;
    [Remedy("Report it with the entry's exception; the try counts as failed.")]
    public const int WebhookSenderUnexpected = 3001;
    public const int DispatcherNotEnabled = 3002;
    [Remedy("Report it with the entry's exception if it comes again and again.")]
    public const int DispatcherLoopFailed = 3003;
    [Remedy("Nothing: webhooks of these events may come a second time, under the same webhook-id.")]
    public const int DispatcherRewound = 3004;
    [Remedy("Mend the database; webhooks wait meanwhile.")]
    public const int LaneReaderReadFailed = 3010;
    [Remedy("Mend the database; results are kept and recorded later.")]
    public const int OutcomeRecorderRecordFailed = 3020;
    [Remedy("Look at the database's own log for why. The webhook may be sent again.")]
    public const int OutcomeRecorderResultRefused = 3021;
    [Remedy("Mend the database, or give it more: it records more slowly than receivers answer.")]
    public const int OutcomeRecorderHeld = 3022;
    public const int DeadLetterNewsNotAsked = 3023;
    [Remedy("Mend the database; retries are late meanwhile.")]
    public const int RetrySweepSweepFailed = 3030;
    [Remedy("Nothing: the retries go out when their leases end, after about 90 s.")]
    public const int ClaimReleaseNotReleased = 3031;
    public const int AttemptRunnerTried = 3040;
    [Remedy("Report it with the entry's exception; the try counts as failed.")]
    public const int AttemptRunnerRunFailed = 3041;
    [Remedy("Its owner mends the receiver and enables the endpoint again; what was held goes out then.")]
    public const int EndpointConfigurationDisabled = 3050;
    [Remedy("Mend the database.")]
    public const int EndpointConfigurationDisableFailed = 3051;
    public const int EndpointWatchFailing = 3060;
    [Remedy("Mend the database; organizations are told of failing endpoints later.")]
    public const int EndpointWatchLookFailed = 3061;
    public const int OperationalFeedNotTaken = 3070;
    public const int ReplayRunnerFinished = 3080;
    [Remedy("Mend the database; replays go on by themselves.")]
    public const int ReplayRunnerNotDone = 3081;

    // 4000: accounts and inbox
    public const int RegistrationOrganizationCreated = 4001;
    public const int KeyRotationKeyRotated = 4002;
    [Remedy("Mend the database.")]
    public const int KeyUseWriterNotWritten = 4003;
    public const int KeyUseWriterGivenUp = 4004;
    public const int KeyCallsMade = 4011;
    public const int KeyCallsRevoked = 4012;
    [Remedy("Nothing, if it was meant: GET /api/admin/audit says who did it.")]
    public const int AdminRoutesSuspended = 4021;
    public const int AdminRoutesResumed = 4022;
    [Remedy("Nothing, if it was meant: GET /api/admin/audit says from which address.")]
    public const int AdminTokenRoutesRotated = 4023;
    [Remedy("Mend the database; changes made at other servers are not known here meanwhile.")]
    public const int AccountWatchNotRead = 4031;
    public const int AccountWatchNotListening = 4032;
    public const int AccountWatchTakenOver = 4033;
    [Remedy("Bring the database back; nothing that is counted is lost while the server runs.")]
    public const int UsageUpkeepNotDone = 4041;
    public const int UsageUpkeepGivenUp = 4042;
    public const int UsageTellerTold = 4043;

    // 5000: the server as a whole
    [Remedy("Report it with the entry's exception; the caller was answered 500.")]
    public const int ExceptionBoundaryRequestFailed = 5000;
    [Remedy("Correct the setting of the database that it names, or know that a power cut can take committed events.")]
    public const int EventServerStoreWarning = 5001;
    [Remedy("Mend the database. With very many rows the count may take longer than it is given: the figures stay away or old, nothing else.")]
    public const int LedgerFiguresNotRead = 5002;
    public const int SettingsReloadTaken = 5003;
    [Remedy("Correct the file; it is read again when it changes. The server goes on with the settings that it had.")]
    public const int SettingsReloadNotTaken = 5004;
}
