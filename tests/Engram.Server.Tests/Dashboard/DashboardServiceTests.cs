using Engram.Client;
using Engram.Server.Tests.Engine;
using Engram.Server.Tests.Web;
using Microsoft.Playwright;

namespace Engram.Server.Tests.Dashboard;

/// <summary>The dashboard of a real service, whose learner learnt real digits.</summary>
public sealed class DashboardServiceTests(DashboardFixture fixture) : WebTest
{
    [Fact]
    public async Task A_learner_that_learnt_is_shown_asked_approved_and_rolled_back()
    {
        await fixture.BrowserAsync();
        var client = await StartAsync();
        var learner = await LearntAsync(client);
        await using var dashboard = await DashboardPage.OpenAsync(fixture, Address, Key);
        var page = dashboard.Page;
        await dashboard.GoAsync("");
        await dashboard.PictureAsync("service-learners");
        foreach (var tab in new[] { "overview", "accuracy", "versions", "drift", "memory", "try" })
        {
            await dashboard.GoAsync($"#/learners/digits/{tab}");
            await dashboard.PictureAsync($"service-{tab}");
        }

        await dashboard.GoAsync("#/learners/digits/versions");
        await DecideAsync("approve-2");
        await Assertions.Expect(page.GetByText("Champion v2")).ToBeVisibleAsync();
        await DecideAsync("rollback-1");
        await Assertions.Expect(page.GetByText("Champion v1")).ToBeVisibleAsync();

        var versions = await learner.GetVersionsAsync(Token);
        Assert.Equal((1, LearnerActivity.Paused), ((await learner.GetAsync(Token)).Champion, (await learner.GetAsync(Token)).Activity));
        Assert.Equal([2, 1], versions.Select(version => version.Version));
        var audit = await client.GetAuditAsync("digits", cancellationToken: Token);
        Assert.Equal(2, audit.Count(entry => entry.Reason == "seen on the dashboard"));
        Assert.Empty(dashboard.Problems);

        async Task DecideAsync(string key)
        {
            await page.Locator($"[data-key={key}]").ClickAsync();
            await page.Locator("#reason").FillAsync("seen on the dashboard");
            await page.Locator(".dialog button[type=submit]").ClickAsync();
        }
    }

    // Version 1 published, version 2 staged, and live predictions with feedback.
    private static async Task<LearnerClient> LearntAsync(EngramClient client)
    {
        var learner = await client.CreateLearnerAsync(new LearnerSpecification
        {
            Name = "digits",
            Input = Digits.Schema,
            Model = new ModelSpecification { Kind = "ridge", Lambda = 10 },
            Learning = new LearningPolicy { EverySamples = 0, CpuShare = 1 },
            Gate = new GateSpecification { Mode = GateMode.Staged },
        }, cancellationToken: Token);
        await learner.FeedbackAsync(Digits.Lesson(60, 0, 1, 2, 3, 4).Items, Token);
        await learner.LearnAsync(cancellationToken: Token);
        await learner.ApproveAsync(1, "the first", Token);
        foreach (var digit in new[] { 0, 1, 2, 5 })
        {
            var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = Digits.Test(digit, 20) }, Token);
            await learner.FeedbackAsync(said.Predictions.Select(one => new FeedbackRequest { PredictionId = one.PredictionId, Label = $"{digit}" }), Token);
        }
        await learner.FeedbackAsync(Digits.Lesson(60, 5, 6).Items, Token);
        await learner.LearnAsync(cancellationToken: Token);
        return learner;
    }
}
