using Microsoft.Playwright;

namespace Engram.Server.Tests.Dashboard;

public sealed class DashboardViewTests(DashboardFixture fixture)
{
    private static readonly string[] s_views =
    [
        "", .. new[] { "overview", "accuracy", "versions", "drift", "memory", "try" }.Select(tab => $"#/learners/digits/{tab}"),
        "#/learners/tickets/overview", "#/learners/tickets/versions", "#/learners/tickets/accuracy", "#/learners/tickets/try",
        "#/learners/loans/try", "#/learners/sensors/overview", "#/learners/sensors/accuracy", "#/learners/sensors/try",
    ];

    public static TheoryData<string, string, int> Appearances
    {
        get
        {
            var data = new TheoryData<string, string, int>();
            foreach (var theme in new[] { "light", "dark" })
                foreach (var language in new[] { "en", "zh" })
                    foreach (var width in new[] { 320, 1280 }) data.Add(theme, language, width);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Appearances))]
    public async Task Every_view_is_whole_readable_and_named(string theme, string language, int width)
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture, width, theme: theme, language: language);
        var wrong = new List<string>();
        foreach (var view in s_views)
        {
            await dashboard.GoAsync(view);
            if (view.EndsWith("versions", StringComparison.Ordinal)) await dashboard.Page.Locator("summary").First.ClickAsync();
            await CheckAsync(view);
        }
        await dashboard.GoAsync("#/learners/digits/versions");
        await dashboard.Page.Locator("[data-key=rollback-8]").ClickAsync();
        await CheckAsync("dialog");

        Assert.Empty(wrong);
        Assert.Empty(dashboard.Problems);

        async Task CheckAsync(string view)
        {
            var page = dashboard.Page;
            wrong.AddRange((await PageChecks.FaintTextsAsync(page)).Concat(await PageChecks.TooWideAsync(page)).Concat(await PageChecks.NamelessAsync(page)).Select(text => $"{view}: {text}"));
            await dashboard.PictureAsync($"{theme}-{language}-{width}-{view.Replace("#/learners/", "", StringComparison.Ordinal).Replace('/', '-')}");
        }
    }

    [Fact]
    public async Task The_key_is_asked_for_and_stays_in_the_session()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture, signedIn: false);
        var page = dashboard.Page;
        await dashboard.GoAsync("");
        await page.GetByLabel("API key").FillAsync("wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("refused");
        await dashboard.PictureAsync("signin");
        Assert.Empty(await PageChecks.NamelessAsync(page));

        await page.GetByLabel("API key").FillAsync(FakeService.Key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "digits" })).ToBeVisibleAsync();

        Assert.Equal(FakeService.Key, await page.EvaluateAsync<string>("() => sessionStorage.getItem('engram.key')"));
        Assert.DoesNotContain(FakeService.Key, await page.EvaluateAsync<string>("() => JSON.stringify(localStorage) + document.cookie + location.href"), StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Assertions.Expect(page.GetByLabel("API key")).ToBeVisibleAsync();
        Assert.Null(await page.EvaluateAsync<string?>("() => sessionStorage.getItem('engram.key')"));
    }

    [Fact]
    public async Task Both_languages_have_the_same_texts_with_the_same_places()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        await dashboard.GoAsync("");

        var different = await dashboard.Page.EvaluateAsync<string[]>(
            """
            async () => {
              const [{ en }, { zh }] = await Promise.all([import('/assets/i18n/en.js'), import('/assets/i18n/zh.js')]);
              const places = text => (text?.match(/\{\w+\}/g) ?? []).sort().join();
              return [...new Set([...Object.keys(en), ...Object.keys(zh)])].filter(key => !en[key] || !zh[key] || places(en[key]) !== places(zh[key]));
            }
            """);

        Assert.Empty(different);
    }

    [Fact]
    public async Task Language_and_theme_are_switched_and_remembered()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("#/learners/digits/versions");
        await page.GetByRole(AriaRole.Button, new() { Name = "中文" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "概览" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "深色主题" }).ClickAsync();
        await page.ReloadAsync();
        await dashboard.SettleAsync();

        Assert.Equal("zh-CN", await page.EvaluateAsync<string>("() => document.documentElement.lang"));
        Assert.Equal("rgb(11, 15, 23)", await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
        Assert.Empty(dashboard.Problems);
    }

    [Fact]
    public async Task What_happens_is_shown_as_it_happens()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("#/learners/digits/overview");
        await Assertions.Expect(page.Locator(".live")).ToHaveTextAsync("Live");

        dashboard.Service.Learners["digits"].Tell("drift", null, "the inputs have changed");
        dashboard.Service.Learners["digits"].Tell("progress", 10, "learning", 0.5);
        dashboard.Service.Learners["digits"].Publish(8, "publish", null);

        await Assertions.Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("the inputs have changed");
        await Assertions.Expect(page.GetByText("Champion v8")).ToBeVisibleAsync();
        Assert.Empty(dashboard.Problems);
    }

    [Fact]
    public async Task A_chart_is_read_point_by_point_with_the_arrow_keys()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("#/learners/digits/accuracy");
        await page.Locator("svg.chart").FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Assertions.Expect(page.Locator(".reading")).ToContainTextAsync("v1 · Accuracy 91%");
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page.Locator(".reading")).ToContainTextAsync("v2 ·");
    }
}
