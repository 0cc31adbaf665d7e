using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Engram.Server.Hosting;

namespace Engram.Server.Tests.Web;

public sealed class SafetyTests : WebTest
{
    [Theory]
    [InlineData("http://0.0.0.0:0", false, false, "urls")]
    [InlineData("http://*:0", false, false, "urls")]
    [InlineData("http://[::]:0", false, true, "no-auth")]
    [InlineData("http://example.com:0", true, true, "no-auth")]
    [InlineData("https://127.0.0.1:0", false, false, "urls")]
    [InlineData("ftp://127.0.0.1", false, false, "urls")]
    [InlineData("127.0.0.1", false, false, "urls")]
    [InlineData("http://unix:/tmp/x", false, false, "urls")]
    public void An_address_that_is_not_safe_is_refused(string url, bool insecure, bool noAuth, string field)
    {
        var options = Options with { Urls = [url], Insecure = insecure, NoAuth = noAuth };
        Assert.Equal(field, Assert.Throws<SpecificationException>(() => EngramServer.Create(options)).Field);
    }

    [Fact]
    public async Task Other_machines_may_connect_without_tls_only_where_that_was_asked_for()
    {
        await StartAsync(Options with { Urls = ["http://0.0.0.0:0"], Insecure = true });
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Address.Port}") };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready", Token)).StatusCode);
    }

    [Fact]
    public async Task A_name_that_is_not_the_services_is_refused()
    {
        await StartAsync(Options with { NoAuth = true });
        foreach (var (host, status) in new[] { ("evil.example", HttpStatusCode.MisdirectedRequest), ("localhost", HttpStatusCode.OK), ("127.0.0.1", HttpStatusCode.OK) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/learners") { Headers = { Host = $"{host}:{Address.Port}" } };
            Assert.Equal(status, (await Http(null).SendAsync(request, Token)).StatusCode);
        }
    }

    [Fact]
    public async Task A_page_of_another_site_may_change_nothing()
    {
        await StartAsync(Options with { NoAuth = true });
        await Client(null).CreateLearnerAsync(Pairs(), cancellationToken: Token);
        foreach (var (origin, status) in new[]
        {
            ("https://evil.example", HttpStatusCode.Forbidden), ("null", HttpStatusCode.Forbidden), ($"http://127.0.0.1:{Address.Port + 1}", HttpStatusCode.Forbidden),
            (Address.GetLeftPart(UriPartial.Authority), HttpStatusCode.OK),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/learners/pairs/pause") { Headers = { { "Origin", origin } } };
            var answer = await Http(null).SendAsync(request, Token);
            Assert.Equal(status, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Answers_tell_browsers_to_load_nothing_from_elsewhere()
    {
        await StartAsync();
        foreach (var path in (string[])["/docs/index.html", "/v1/learners", "/none", "/openapi/v1.json"])
        {
            var headers = (await Http(null).GetAsync(path, Token)).Headers;
            Assert.StartsWith("default-src 'none'; script-src 'self'", Assert.Single(headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("DENY", Assert.Single(headers.GetValues("X-Frame-Options")));
            Assert.False(headers.Contains("Server"));
        }
    }

    [Fact]
    public async Task The_service_speaks_tls_with_a_certificate_in_pem()
    {
        var (certificate, key) = (Path.Combine(Options.Service.Folder, "cert.pem"), Path.Combine(Options.Service.Folder, "key.pem"));
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem(), Token);
        await File.WriteAllTextAsync(key, rsa.ExportPkcs8PrivateKeyPem(), Token);

        await StartAsync(Options with { Urls = ["https://127.0.0.1:0"], TlsCertificate = certificate, TlsKey = key });
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown?.Thumbprint == made.Thumbprint };
        using var http = new HttpClient(handler) { BaseAddress = Address };
        var answer = await http.GetAsync("/health/ready", Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Certificates_that_lead_to_the_authority_are_sent_too()
    {
        var file = Path.Combine(Options.Service.Folder, "chain.pem");
        using var authority = Certificate("CN=authority", null);
        using var between = Certificate("CN=between", authority);
        using var leaf = Certificate("CN=localhost", between);
        await File.WriteAllTextAsync(
            file, $"{leaf.ExportCertificatePem()}\n{leaf.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n{between.ExportCertificatePem()}\n", Token);

        await StartAsync(Options with { Urls = ["https://127.0.0.1:0"], TlsCertificate = file });
        string[] shown = [];
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, _, chain, _) =>
            {
                shown = [.. chain!.ChainPolicy.ExtraStore.Select(one => one.Subject)];
                return true;
            },
        };
        using var http = new HttpClient(handler) { BaseAddress = Address };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready", Token)).StatusCode);
        Assert.Contains("CN=between", shown);
    }

    private static X509Certificate2 Certificate(string name, X509Certificate2? issuer)
    {
        var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(name != "CN=localhost", false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        if (issuer is null) return request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
        using var signed = request.Create(issuer, issuer.NotBefore.AddHours(1), issuer.NotAfter.AddHours(-1), [1, (byte)name.Length]);
        return signed.CopyWithPrivateKey(key);
    }

    [Fact]
    public void A_certificate_that_cannot_be_used_is_refused()
    {
        var file = Path.Combine(Options.Service.Folder, "not.pem");
        File.WriteAllText(file, "no certificate");
        foreach (var options in (ServeOptions[])[Options with { TlsCertificate = file }, Options with { TlsCertificate = file + "x" }])
            Assert.Equal("tls-certificate", Assert.Throws<SpecificationException>(() => EngramServer.Create(options)).Field);
        Assert.Equal("tls-key", Assert.Throws<SpecificationException>(() => EngramServer.Create(Options with { TlsKey = file })).Field);
    }
}
