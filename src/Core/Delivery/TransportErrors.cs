using System.Net.Sockets;
using System.Security.Authentication;

namespace ZapierTriggers.Core.Delivery;

/// <summary>The one place that says what an exception of the HTTP stack means for a delivery.</summary>
internal static class TransportErrors
{
    private const int ProxyAuthenticationRequired = 407;

    /// <summary>The error and its words.</summary>
    /// <param name="exception">What the client threw.</param>
    /// <param name="literalHost">Whether the URL names an address, so that a blocked one is final.</param>
    /// <param name="proxy">What the try went through, if anything.</param>
    public static (DeliveryError Error, string Text) Explain(Exception exception, bool literalHost, EgressProxy? proxy = null)
    {
        if (Find<BlockedAddressException>(exception) is { } blocked)
            return (literalHost ? DeliveryError.BlockedAddress : DeliveryError.BlockedName, blocked.Message);
        if (Find<ProxyException>(exception) is { } unreached) return (DeliveryError.ProxyFailed, unreached.Message);
        if (exception is OperationCanceledException or TimeoutException)
            return (DeliveryError.Timeout, "No whole answer within the deadline.");

        var socket = Find<SocketException>(exception)?.SocketErrorCode;
        var kind = (exception as HttpRequestException)?.HttpRequestError ?? (exception as HttpIOException)?.HttpRequestError ?? HttpRequestError.Unknown;
        if (kind == HttpRequestError.ProxyTunnelError) return (DeliveryError.ProxyFailed, TunnelText(exception, proxy));
        if (kind == HttpRequestError.NameResolutionError
            || socket is SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData)
            return (DeliveryError.NameNotResolved, "The host's name did not resolve.");
        if (kind == HttpRequestError.SecureConnectionError || Find<AuthenticationException>(exception) is not null)
            return (DeliveryError.TlsFailed, $"The TLS handshake failed: {Innermost(exception).Message}");
        if (kind == HttpRequestError.ConnectionError) return (DeliveryError.ConnectFailed, $"No connection: {Words(socket)}.");
        if (kind is HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded)
            return (DeliveryError.InvalidAnswer, "The answer is not valid HTTP/1.1, or its headers are over 16 KB.");
        if (kind == HttpRequestError.ResponseEnded || exception is IOException || Find<IOException>(exception) is not null
            || socket is not null)
            return (DeliveryError.ConnectionLost, $"The connection ended before the answer did: {Words(socket)}.");
        return (DeliveryError.Internal, $"Unexpected: {exception.GetType().Name}.");
    }

    /// <summary>
    /// The error and words of a status; <see cref="DeliveryError.None"/> for 2xx. A 407 can only be the <paramref name="proxy"/>'s.
    /// </summary>
    public static (DeliveryError Error, string? Text) Explain(int status, EgressProxy? proxy = null) => status switch
    {
        ProxyAuthenticationRequired when proxy is not null => (DeliveryError.ProxyFailed, AsksForCredentials(proxy)),
        >= 200 and < 300 => (DeliveryError.None, null),
        >= 300 and < 400 => (DeliveryError.Redirected, $"Answered {status}: redirects are not followed; register the final URL."),
        410 => (DeliveryError.Gone, "Answered 410: the endpoint was disabled."),
        429 or 503 => (DeliveryError.Overloaded, $"Answered {status}."),
        _ => (DeliveryError.BadStatus, $"Answered {status}."),
    };

    /// <summary>What became of a socket; null = it was closed in an orderly way.</summary>
    public static string Words(SocketError? error) => error switch
    {
        null => "closed by the receiver",
        SocketError.ConnectionRefused => "refused",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "reset by the receiver",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown or SocketError.HostDown => "unreachable",
        SocketError.TimedOut => "timed out",
        _ => error.Value.ToString(),
    };

    private static string TunnelText(Exception exception, EgressProxy? proxy)
    {
        // The framework tells the status in its text only.
        if (proxy is not null && exception.Message.Contains("'407'", StringComparison.Ordinal)) return AsksForCredentials(proxy);
        return $"The proxy {proxy} opened no way to the receiver: {exception.Message}";
    }

    private static string AsksForCredentials(EgressProxy proxy) => proxy.Credentials is null
        ? $"The proxy {proxy} asks for a user and password (407); give them in Delivery:Proxy."
        : $"The proxy {proxy} does not take the user and password of Delivery:Proxy (407).";

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
