using Engram.Server.Tests.Dashboard;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(DashboardFixture))]

namespace Engram.Server.Tests.Dashboard;

/// <summary>One browser for all tests of the dashboard; each test has a service and a page of its own.</summary>
public sealed class DashboardFixture : IAsyncDisposable
{
    private static readonly string[] s_arguments =
        ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private readonly SemaphoreSlim _gate = new(1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The browser; skips the test, visibly, where there is none.</summary>
    internal async Task<IBrowser> BrowserAsync()
    {
        await _gate.WaitAsync();
        try
        {
            if (_browser is not null) return _browser;
            var chromium = Environment.GetEnvironmentVariable("ENGRAM_CHROMIUM") is { Length: > 0 } named ? named
                : new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);
            if (chromium is null) Assert.Skip("no Chromium in /usr/bin; install it, or set ENGRAM_CHROMIUM to its path");
            _playwright = await Playwright.CreateAsync();
            return _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Headless = true, Args = s_arguments });
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        _gate.Dispose();
    }
}
