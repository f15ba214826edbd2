namespace ZapierTriggers.Core.Operations;

/// <summary>
/// The ids of all log entries, by thousands: 1000 journal and sequencer, 2000 store and store writer, 3000 delivery, 4000 accounts and
/// inbox, 5000 operations. A constant is named after the class and the method that logs it, whose message says what happened. An id is
/// never used for another meaning again; a test holds ids unique and every <c>[LoggerMessage]</c> to this table.
/// </summary>
internal static class LogEvents
{
    // 1000: journal and sequencer
    public const int JournalWriterPoisoned = 1001;
    public const int SegmentSupplyNoSpace = 1002;
    public const int SegmentSupplySpaceAgain = 1003;
    public const int JournalReaderDamaged = 1011;
    public const int JournalReaderGap = 1012;
    public const int JournalReaderBroken = 1013;
    public const int JournalRecoveryReplaying = 1021;
    public const int JournalRecoveryFromRing = 1022;
    public const int JournalRecoveryTorn = 1023;
    public const int JournalRecoveryLost = 1024;
    public const int JournalRecoveryLostByConsent = 1025;
    public const int JournalRecoveryPowerCut = 1026;
    public const int SegmentErasureRewritten = 1031;
    public const int SequencerFault = 1101;
    public const int ShardDedupFault = 1111;

    // 2000: stores and store writer
    public const int StoreWriterAway = 2001;
    public const int StoreWriterStoringAgain = 2002;
    public const int StoreWriterSetAside = 2003;
    public const int StoreWriterFenced = 2004;
    public const int StoreWriterFault = 2005;
    public const int StoreWriterKeptInFile = 2006;
    public const int StoreUpkeepNotDone = 2102;
    public const int StoreUpkeepNotExpired = 2103;
    public const int ErasureRunnerFinished = 2111;
    public const int ErasureRunnerNotDone = 2112;
    public const int InboxMarkAdvancerNotDone = 2121;
    public const int InboxMarkAdvancerAdvanced = 2122;

    public const int StoreWaitWaiting = 2201;
    public const int StoreWaitIsThere = 2202;

    // 3000: delivery
    public const int DispatcherStarted = 3000;
    public const int WebhookSenderUnexpected = 3001;
    public const int DispatcherNotEnabled = 3002;
    public const int DispatcherLoopFailed = 3003;
    public const int DispatcherRewound = 3004;
    public const int LaneReaderReadFailed = 3010;
    public const int OutcomeRecorderRecordFailed = 3020;
    public const int OutcomeRecorderResultRefused = 3021;
    public const int OutcomeRecorderHeld = 3022;
    public const int DeadLetterNewsNotAsked = 3023;
    public const int RetrySweepSweepFailed = 3030;
    public const int AttemptRunnerTried = 3040;
    public const int AttemptRunnerRunFailed = 3041;
    public const int EndpointConfigurationDisabled = 3050;
    public const int EndpointConfigurationDisableFailed = 3051;
    public const int EndpointWatchFailing = 3060;
    public const int EndpointWatchLookFailed = 3061;
    public const int OperationalFeedNotTaken = 3070;
    public const int ReplayRunnerFinished = 3080;
    public const int ReplayRunnerNotDone = 3081;

    // 4000: accounts and inbox
    public const int RegistrationOrganizationCreated = 4001;
    public const int KeyRotationKeyRotated = 4002;
    public const int KeyUseWriterNotWritten = 4003;
    public const int KeyUseWriterGivenUp = 4004;
    public const int KeyCallsMade = 4011;
    public const int KeyCallsRevoked = 4012;
    public const int AdminRoutesSuspended = 4021;
    public const int AdminRoutesResumed = 4022;
    public const int AdminTokenRoutesRotated = 4023;
    public const int AccountWatchNotRead = 4031;
    public const int AccountWatchNotListening = 4032;
    public const int AccountWatchTakenOver = 4033;
    public const int UsageUpkeepNotDone = 4041;
    public const int UsageUpkeepGivenUp = 4042;
    public const int UsageTellerTold = 4043;

    // 5000: the server as a whole
    public const int ExceptionBoundaryRequestFailed = 5000;
    public const int EventServerStoreWarning = 5001;
}
