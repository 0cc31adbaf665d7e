using Microsoft.Playwright;

namespace Engram.Server.Tests.Dashboard;

/// <summary>A page of the dashboard, and all that went wrong in it.</summary>
internal sealed class DashboardPage : IAsyncDisposable
{
    private readonly FakeService _service;
    private readonly IBrowserContext _context;

    private DashboardPage(FakeService service, IBrowserContext context, IPage page) => (_service, _context, Page) = (service, context, page);

    public IPage Page { get; }

    public FakeService Service => _service;

    /// <summary>Errors in the console (violations of the policy are among them), exceptions, and requests to anywhere else.</summary>
    public List<string> Problems { get; } = [];

    public static async Task<DashboardPage> OpenAsync(DashboardFixture fixture, int width = 1280, int height = 900, string theme = "light", string language = "en", bool signedIn = true)
    {
        var browser = await fixture.BrowserAsync();
        var service = await FakeService.StartAsync();
        FakeLearners.AddTo(service, TimeProvider.System.GetUtcNow());
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = theme == "dark" ? ColorScheme.Dark : ColorScheme.Light,
            Locale = language == "zh" ? "zh-CN" : "en-GB",
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(15_000);
        var opened = new DashboardPage(service, context, await context.NewPageAsync());
        opened.Watch();
        if (signedIn) await context.AddInitScriptAsync($"sessionStorage.setItem('engram.key', '{FakeService.Key}')");
        return opened;
    }

    /// <summary>Goes to a view and waits until its numbers are there.</summary>
    public async Task GoAsync(string view)
    {
        await Page.GotoAsync($"{_service.Address}/{view}");
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
        await _service.DisposeAsync();
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
            if (!request.Url.StartsWith(_service.Address, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                Problems.Add($"request to {request.Url}");
        };
    }
}
