using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Engram.Server.Hosting;

/// <summary>Where a service listens and under which names, once it is known that this is safe.</summary>
internal sealed class Listening
{
    private static readonly string[] s_loopback = ["localhost", "127.0.0.1", "::1", "[::1]"];
    private readonly FrozenSet<string>? _names;

    private Listening(IReadOnlyList<string> urls, X509Certificate2? certificate, X509Certificate2Collection chain, IEnumerable<string>? names)
    {
        (Urls, Certificate, Chain) = (urls, certificate, chain);
        _names = names?.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Where.</summary>
    public IReadOnlyList<string> Urls { get; }

    /// <summary>For TLS.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>Certificates sent beside it: those of the file, which lead to an authority.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>Whether a host name is one of the service's.</summary>
    public bool AnswersTo(string host) => _names is null || _names.Contains(host);

    /// <summary>Checks where a service is to listen.</summary>
    /// <exception cref="SpecificationException">That would not be safe, or not possible.</exception>
    public static Listening Of(ServeOptions options)
    {
        if (options.Urls.Count == 0) throw new SpecificationException("urls", "none, expected an address to listen on");
        var addresses = options.Urls.Select(Parse).ToList();
        var chain = new X509Certificate2Collection();
        var certificate = Load(options, chain);
        foreach (var (url, address) in options.Urls.Zip(addresses))
        {
            var tls = address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);
            if (tls && certificate is null) throw new SpecificationException("urls", $"\"{url}\" needs a certificate, expected --tls-certificate");
            if (IsLoopback(address)) continue;
            if (options.NoAuth) throw new SpecificationException("no-auth", $"\"{url}\" can be reached from other machines, expected keys, or loopback only");
            if (!tls && !options.Insecure)
                throw new SpecificationException("urls", $"\"{url}\" would send keys unencrypted to other machines, expected https with --tls-certificate, or --insecure behind a proxy that adds TLS");
        }
        return new Listening(options.Urls, certificate, chain, Names(options, addresses));
    }

    private static IEnumerable<string>? Names(ServeOptions options, List<BindingAddress> addresses)
    {
        if (options.Hosts.Count > 0) return options.Hosts.Contains("*") && !options.NoAuth ? null : options.Hosts.Concat(s_loopback);
        if (addresses.All(IsLoopback)) return s_loopback.Concat(addresses.Select(address => address.Host));
        return addresses.Any(IsEverywhere) ? null : addresses.Select(address => address.Host).Concat(s_loopback);
    }

    private static BindingAddress Parse(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            var isHttp = address.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase) || address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);
            if (isHttp && !address.IsUnixPipe && !address.IsNamedPipe && address.PathBase.Length == 0) return address;
        }
        catch (FormatException)
        {
        }
        throw new SpecificationException("urls", $"\"{url}\", expected an address such as {ServeOptions.DefaultUrl}");
    }

    private static bool IsLoopback(BindingAddress address) =>
        address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip));

    // Kestrel takes every name that is no address for all addresses.
    private static bool IsEverywhere(BindingAddress address) =>
        IPAddress.TryParse(address.Host, out var ip)
            ? ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)
            : address.Host is "*" or "+";

    private static X509Certificate2? Load(ServeOptions options, X509Certificate2Collection chain)
    {
        if (options.TlsCertificate is not { } file)
            return options.TlsKey is null ? null : throw new SpecificationException("tls-key", "a key without a certificate, expected --tls-certificate too");
        try
        {
            if (X509Certificate2.GetCertContentType(file) == X509ContentType.Pkcs12)
            {
                chain.AddRange(X509CertificateLoader.LoadPkcs12CollectionFromFile(file, null));
                return X509CertificateLoader.LoadPkcs12FromFile(file, null);
            }
            chain.ImportFromPemFile(file);
            using var pem = X509Certificate2.CreateFromPemFile(file, options.TlsKey ?? file);
            // Windows' TLS cannot use a key that lives in memory only.
            return OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null) : new X509Certificate2(pem);
        }
        catch (Exception problem) when (problem is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new SpecificationException("tls-certificate", $"\"{file}\" cannot be used ({problem.Message}), expected a certificate and its private key, in PEM or PKCS #12");
        }
    }
}
