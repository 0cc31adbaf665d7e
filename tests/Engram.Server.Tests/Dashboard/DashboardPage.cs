using Microsoft.Playwright;

namespace Engram.Server.Tests.Dashboard;

/// <summary>A page of the dashboard, and all that went wrong in it.</summary>
internal sealed class DashboardPage : IAsyncDisposable
{
    private readonly FakeService? _service;
    private readonly string _address;
    private readonly IBrowserContext _context;

    private DashboardPage(string address, FakeService? service, IBrowserContext context, IPage page) =>
        (_address, _service, _context, Page) = (address, service, context, page);

    public IPage Page { get; }

    public FakeService Service => _service ?? throw new InvalidOperationException("This page shows a real service.");

    /// <summary>Errors in the console (violations of the policy are among them), exceptions, and requests to anywhere else.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Opens a page of made-up learners.</summary>
    public static async Task<DashboardPage> OpenAsync(DashboardFixture fixture, int width = 1280, int height = 900, string theme = "light", string language = "en", bool signedIn = true)
    {
        await fixture.BrowserAsync(); // skips where there is none
        var service = await FakeService.StartAsync();
        FakeLearners.AddTo(service, TimeProvider.System.GetUtcNow());
        return await OpenAsync(fixture, service.Address, signedIn ? FakeService.Key : null, service, width, height, theme, language);
    }

    /// <summary>Opens a page of a service.</summary>
    public static Task<DashboardPage> OpenAsync(DashboardFixture fixture, Uri address, string key) =>
        OpenAsync(fixture, address.GetLeftPart(UriPartial.Authority), key, null, 1280, 900, "light", "en");

    private static async Task<DashboardPage> OpenAsync(
        DashboardFixture fixture, string address, string? key, FakeService? service, int width, int height, string theme, string language)
    {
        var context = await (await fixture.BrowserAsync()).NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = theme == "dark" ? ColorScheme.Dark : ColorScheme.Light,
            Locale = language == "zh" ? "zh-CN" : "en-GB",
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(15_000);
        var opened = new DashboardPage(address, service, context, await context.NewPageAsync());
        opened.Watch();
        if (key is not null) await context.AddInitScriptAsync($"sessionStorage.setItem('engram.key', '{key}')");
        return opened;
    }

    /// <summary>Goes to a view and waits until its numbers are there.</summary>
    public async Task GoAsync(string view)
    {
        await Page.GotoAsync($"{_address}/{view}");
        await SettleAsync();
    }

    /// <summary>Waits until the view has drawn what it was told.</summary>
    public Task SettleAsync() => Page.WaitForFunctionAsync(
        "() => main.dataset.view === location.hash && document.querySelector('main h1') && (!document.querySelector('.body') || document.querySelector('.body > :not(.empty)'))");

    /// <summary>Keeps a picture where ENGRAM_SCREENSHOTS names a folder.</summary>
    public async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("ENGRAM_SCREENSHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png"), FullPage = true, Caret = ScreenshotCaret.Initial });
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        if (_service is not null) await _service.DisposeAsync();
    }

    private void Watch()
    {
        Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Problems.Add($"{message.Type}: {message.Text}");
        };
        Page.PageError += (_, error) => Problems.Add($"exception: {error}");
        Page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(_address, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                Problems.Add($"request to {request.Url}");
        };
    }
}
