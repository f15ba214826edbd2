using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>
/// A port for a server that goes away and comes back to it. Below the ports that the system gives to clients and to listeners on port 0
/// (32768 and up on Linux), so that none of a test's own takes it meanwhile. No test framework in here: other test projects link this file.
/// </summary>
internal static class FreePort
{
    private const int First = 20_000;
    private const int Last = 32_000;

    /// <summary>Draws one that nothing listens on now on loopback.</summary>
    public static int Draw()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, Last);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one is drawn.
            }
        }
    }
}
