namespace ZapierTriggers.Server.Operations.Pages;

/// <summary>
/// What pages may do (Content Security Policy 3): nothing comes from elsewhere, nothing goes elsewhere, nobody frames them.
/// </summary>
internal static class PagePolicy
{
    /// <summary>Our own pages: scripts and styles are files of this server.</summary>
    public const string Strict =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    /// <summary>The reference, whose program sets styles and makes blobs as it goes.</summary>
    public const string Reference =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}
