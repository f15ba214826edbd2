using System.Net.Sockets;
using System.Security.Authentication;

namespace ZapierTriggers.Core.Delivery;

/// <summary>The one place that says what an exception of the HTTP stack means for a delivery.</summary>
internal static class TransportErrors
{
    /// <summary>The error and its words. <paramref name="literalHost"/>: the URL names an address, so a blocked one is final.</summary>
    public static (DeliveryError Error, string Text) Explain(Exception exception, bool literalHost)
    {
        if (Find<BlockedAddressException>(exception) is { } blocked)
            return (literalHost ? DeliveryError.BlockedAddress : DeliveryError.BlockedName, blocked.Message);
        if (exception is OperationCanceledException or TimeoutException) return (DeliveryError.Timeout, "No whole answer within the deadline.");

        var socket = Find<SocketException>(exception)?.SocketErrorCode;
        var kind = (exception as HttpRequestException)?.HttpRequestError ?? (exception as HttpIOException)?.HttpRequestError ?? HttpRequestError.Unknown;
        if (kind == HttpRequestError.NameResolutionError || socket is SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData)
            return (DeliveryError.NameNotResolved, "The host's name did not resolve.");
        if (kind == HttpRequestError.SecureConnectionError || Find<AuthenticationException>(exception) is not null)
            return (DeliveryError.TlsFailed, $"The TLS handshake failed: {Innermost(exception).Message}");
        if (kind == HttpRequestError.ConnectionError) return (DeliveryError.ConnectFailed, $"No connection: {Words(socket)}.");
        if (kind is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
            return (DeliveryError.InvalidAnswer, "The answer is not valid HTTP/1.1, or its headers are over 16 KB.");
        if (kind == HttpRequestError.ResponseEnded || exception is IOException || Find<IOException>(exception) is not null || socket is not null)
            return (DeliveryError.ConnectionLost, $"The connection ended before the answer did: {Words(socket)}.");
        return (DeliveryError.Internal, $"Unexpected: {exception.GetType().Name}.");
    }

    /// <summary>The error and words of a status; <see cref="DeliveryError.None"/> for 2xx.</summary>
    public static (DeliveryError Error, string? Text) Explain(int status) => status switch
    {
        >= 200 and < 300 => (DeliveryError.None, null),
        >= 300 and < 400 => (DeliveryError.Redirected, $"Answered {status}: redirects are not followed; register the final URL."),
        410 => (DeliveryError.Gone, "Answered 410: the endpoint was disabled."),
        429 or 503 => (DeliveryError.Overloaded, $"Answered {status}."),
        _ => (DeliveryError.BadStatus, $"Answered {status}."),
    };

    private static string Words(SocketError? error) => error switch
    {
        null => "closed by the receiver",
        SocketError.ConnectionRefused => "refused",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "reset by the receiver",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown or SocketError.HostDown => "unreachable",
        SocketError.TimedOut => "timed out",
        _ => error.Value.ToString(),
    };

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found) return found;
        }

        return null;
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner) exception = inner;
        return exception;
    }
}
