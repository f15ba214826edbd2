using System.IO.Compression;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>What receivers do to a connection that no receiver should; each ends when the connection or the test does.</summary>
internal static class BadHabits
{
    /// <summary>Takes the request and never answers; also what a host that has vanished looks like from here.</summary>
    public static Task SayNothingAsync(Socket socket, CancellationToken cancel) => HoldAsync(socket, cancel);

    /// <summary>Takes the connection and reads nothing at all.</summary>
    public static Task ReadNothingAsync(Socket _, CancellationToken cancel) => UntilAsync(cancel);

    /// <summary>Answers a byte a second.</summary>
    public static async Task DripAsync(Socket socket, TimeProvider time, string answer, CancellationToken cancel)
    {
        await RawServer.ReadRequestAsync(socket, cancel);
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        foreach (var letter in answer)
        {
            await RawServer.SendAsync(socket, letter.ToString(), cancel);
            await second.WaitForNextTickAsync(cancel);
        }
    }

    /// <summary>Answers and then sends on for as long as somebody reads; returns the bytes sent.</summary>
    public static async Task<long> FloodAsync(Socket socket, string head, byte[] chunk, CancellationToken cancel)
    {
        await RawServer.ReadRequestAsync(socket, cancel);
        await RawServer.SendAsync(socket, head, cancel);
        var sent = 0L;
        try
        {
            while (true) sent += await socket.SendAsync(chunk, cancel);
        }
        catch (SocketException)
        {
            return sent; // The sender has had enough.
        }
    }

    /// <summary>Takes the request and resets the connection.</summary>
    public static async Task ResetAsync(Socket socket, CancellationToken cancel)
    {
        await RawServer.ReadRequestAsync(socket, cancel);
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
    }

    /// <summary>Takes the request, says that it sends nothing more, and stays.</summary>
    public static async Task HalfCloseAsync(Socket socket, CancellationToken cancel)
    {
        await RawServer.ReadRequestAsync(socket, cancel);
        socket.Shutdown(SocketShutdown.Send);
        await HoldAsync(socket, cancel);
    }

    /// <summary>Answers with this text.</summary>
    public static async Task AnswerAsync(Socket socket, string answer, CancellationToken cancel)
    {
        await RawServer.ReadRequestAsync(socket, cancel);
        await RawServer.SendAsync(socket, answer, cancel);
        await HoldAsync(socket, cancel);
    }

    /// <summary>Shows a certificate that nobody vouches for.</summary>
    public static async Task ShowOwnCertificateAsync(Socket socket, CancellationToken cancel)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        await using var tls = new SslStream(new NetworkStream(socket));
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancel);
            await HoldAsync(socket, cancel);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            // The sender does not go on with such a certificate.
        }
    }

    /// <summary>Some hundred kilobytes of gzip that would be 64 MB of zeros.</summary>
    public static byte[] GzipBomb()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 64; i++) gzip.Write(zeros);
        }

        return packed.ToArray();
    }

    /// <summary>An answer's head.</summary>
    public static string Head(string status, params string[] headers) =>
        $"HTTP/1.1 {status}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";

    /// <summary>Reads and says nothing until the other side or the test is done.</summary>
    public static async Task HoldAsync(Socket socket, CancellationToken cancel)
    {
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, cancel) > 0)
        {
        }
    }

    private static async Task UntilAsync(CancellationToken cancel)
    {
        var ended = new TaskCompletionSource();
        await using var _ = cancel.Register(ended.SetResult);
        await ended.Task;
    }
}
