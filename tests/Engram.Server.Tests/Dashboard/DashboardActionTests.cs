using System.Text.Json;
using Microsoft.Playwright;

namespace Engram.Server.Tests.Dashboard;

public sealed class DashboardActionTests(DashboardFixture fixture)
{
    [Fact]
    public async Task The_keyboard_alone_rolls_back_and_shows_at_each_step_where_it_is()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("");
        await TabToAsync("[data-key=learner-digits]");
        await page.Keyboard.PressAsync("Enter");
        await dashboard.SettleAsync();
        await TabToAsync("[data-key=tab-versions]");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("[data-key=rollback-8]")).ToBeVisibleAsync();
        await TabToAsync("[data-key=rollback-8]");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();

        // Escape changes nothing and gives the focus back.
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        await Assertions.Expect(page.Locator("[data-key=rollback-8]")).ToBeFocusedAsync();
        Assert.Empty(dashboard.Service.Learners["digits"].Asked);

        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.TypeAsync("recall of nine fell");
        await TabToAsync(".dialog button[type=submit]");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByText("Champion v8")).ToBeVisibleAsync();
        Assert.Equal(["rollback 8 recall of nine fell"], dashboard.Service.Learners["digits"].Asked);
        await Assertions.Expect(page.Locator("#toasts")).ToContainTextAsync("Rolled back to version 8");
        Assert.Empty(dashboard.Problems);

        async Task TabToAsync(string selector)
        {
            for (var i = 0; i < 60; i++)
            {
                await page.Keyboard.PressAsync("Tab");
                Assert.True(await PageChecks.FocusIsVisibleAsync(page), $"the focus is not seen on the way to {selector}: {await page.EvaluateAsync<string>("() => document.activeElement.outerHTML.slice(0, 200)")}");
                if (await page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector)) return;
            }
            Assert.Fail($"{selector} is not reached with the Tab key");
        }
    }

    [Fact]
    public async Task A_roll_back_needs_a_reason()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("#/learners/digits/versions");
        await page.Locator("[data-key=rollback-8]").ClickAsync();
        await page.Locator(".dialog button[type=submit]").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        Assert.Empty(dashboard.Service.Learners["digits"].Asked);
    }

    [Theory]
    [InlineData("approve", "approve 3 looks right", "Published")]
    [InlineData("reject", "reject 3 looks right", "Refused")]
    [InlineData("pin", "pin 3 looks right", "Pinned")]
    public async Task A_staged_version_is_decided_on(string action, string asked, string shown)
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        dashboard.Service.Learners["tickets"].Asked.Clear();
        await dashboard.GoAsync("#/learners/tickets/versions");
        await page.Locator($"[data-key={action}-3]").ClickAsync();
        await page.Locator("#reason").FillAsync("looks right");
        await page.Locator(".dialog button[type=submit]").ClickAsync();

        // In a badge: the word alone also stands beside the time of publication, before anything was decided.
        await Assertions.Expect(page.Locator(".version").Filter(new() { HasText = "Version 3" }).Locator(".badge").Filter(new() { HasText = shown })).ToBeVisibleAsync();
        Assert.Equal([asked], dashboard.Service.Learners["tickets"].Asked);
        Assert.Empty(dashboard.Problems);
    }

    [Fact]
    public async Task Learning_is_paused_and_resumed()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("#/learners/loans/overview");
        foreach (var (name, then) in new[] { ("Resume", "Idle"), ("Pause", "Paused") })
        {
            await page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).ClickAsync();
            await page.Locator(".dialog button[type=submit]").ClickAsync();
            await Assertions.Expect(page.Locator(".head .badge").First).ToHaveTextAsync(then);
        }
        await page.GetByRole(AriaRole.Button, new() { Name = "Learn now" }).ClickAsync();
        await Assertions.Expect(page.Locator("#toasts")).ToContainTextAsync("Nothing waits to be learnt.");
    }

    [Theory]
    [InlineData("tickets", "\"my parcel is late\"")]
    [InlineData("sensors", "[1,2.5,-3,4]")]
    [InlineData("loans", """{"age":41,"purpose":"boat"}""")]
    public async Task Each_kind_of_input_is_tried_and_taught(string learner, string expected)
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync($"#/learners/{learner}/try");
        if (learner == "tickets") await page.GetByLabel("Text").FillAsync("my parcel is late");
        if (learner == "sensors") await page.GetByLabel("Numbers").FillAsync("1, 2.5\n-3 4");
        if (learner == "loans")
        {
            await page.GetByLabel("age").FillAsync("41");
            await page.GetByLabel("purpose").FillAsync("boat");
        }
        await page.GetByRole(AriaRole.Button, new() { Name = "Predict" }).ClickAsync();
        await Assertions.Expect(page.Locator(".answer strong")).ToHaveTextAsync(dashboard.Service.Learners[learner].Labels[0]);
        await Assertions.Expect(page.Locator(".answer .badge").First).ToHaveTextAsync("Unknown");

        await page.GetByLabel("No, it is").FillAsync("another");
        await page.GetByRole(AriaRole.Button, new() { Name = "Teach" }).ClickAsync();
        await Assertions.Expect(page.GetByText("is stored as feedback 48211")).ToBeVisibleAsync();

        Assert.Equal(expected, JsonSerializer.Serialize(Assert.Single(dashboard.Service.Predictions).Input));
        var feedback = Assert.Single(dashboard.Service.Feedback);
        Assert.Equal(("p-1", "another"), (feedback.PredictionId, feedback.Label));
        await dashboard.PictureAsync($"try-{learner}");
        Assert.Empty(dashboard.Problems);
    }

    [Fact]
    public async Task A_vector_of_another_size_is_refused_in_words()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        await dashboard.GoAsync("#/learners/sensors/try");
        await dashboard.Page.GetByLabel("Numbers").FillAsync("1 2");
        await dashboard.Page.GetByRole(AriaRole.Button, new() { Name = "Predict" }).ClickAsync();

        await Assertions.Expect(dashboard.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The input has 2 numbers; 4 are expected.");
        Assert.Empty(dashboard.Service.Predictions);
    }

    [Fact]
    public async Task A_drawn_digit_is_sent_as_pixels_centred_as_the_digits_of_MNIST_are()
    {
        await using var dashboard = await DashboardPage.OpenAsync(fixture);
        var page = dashboard.Page;
        await dashboard.GoAsync("#/learners/digits/try");
        var box = (await page.Locator("canvas.drawing").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + 40, box.Y + 30); // a one, in a corner
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + 45, box.Y + 150, new() { Steps = 8 });
        await page.Mouse.UpAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Predict" }).ClickAsync();
        await Assertions.Expect(page.Locator(".answer strong")).ToHaveTextAsync("zero");
        await dashboard.PictureAsync("try-digits");

        var pixels = Convert.FromBase64String(Assert.Single(dashboard.Service.Predictions).Input.GetProperty("pixels").GetString()!);
        Assert.Equal(28 * 28, pixels.Length);
        var (mass, x, y) = (0.0, 0.0, 0.0);
        for (var i = 0; i < pixels.Length; i++) (mass, x, y) = (mass + pixels[i], x + (pixels[i] * (i % 28)), y + (pixels[i] * (i / 28)));
        Assert.InRange(x / mass, 13, 14.5);
        Assert.InRange(y / mass, 13, 14.5);
        int[] rows = [.. Enumerable.Range(0, 28).Where(row => pixels.Skip(28 * row).Take(28).Any(pixel => pixel > 100))];
        Assert.InRange(rows[^1] - rows[0] + 1, 18, 21); // twenty pixels high
    }
}
