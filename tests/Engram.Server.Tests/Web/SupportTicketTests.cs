using Engram.Client;

namespace Engram.Server.Tests.Web;

/// <summary>docs/guides/support-tickets.md: a desk that answers two domains learns eight more from feedback.</summary>
public sealed class SupportTicketTests(ITestOutputHelper output) : WebTest
{
    private static readonly string[] s_first = ["banking", "credit_cards"];

    private static readonly string[] s_later =
        ["kitchen_and_dining", "home", "auto_and_commute", "travel", "utility", "work", "small_talk", "meta"];

    [Fact]
    public async Task A_desk_learns_eight_more_domains_from_feedback_and_keeps_the_first_two()
    {
        var clinc = Clinc150.Load();
        var (history, days) = (clinc.Tickets("train", s_first), s_later.Select(domain => clinc.Tickets("train", domain)));
        await StartAsync();
        var (address, key) = (Address, Key);
        output.WriteLine("| learnt | intents | right, first two domains | right, all so far |\n|---|---|---|---|");
        // begin example
        using var engram = new EngramClient(address, key);
        var desk = await engram.CreateLearnerAsync(new LearnerSpecification
        {
            Name = "desk",
            Input = new InputSchema { Kind = InputKind.Text },
            Learning = new LearningPolicy { EverySamples = 0, CpuShare = 1 }, // learns when asked; left out, by itself whenever 50 tickets wait
        });

        // What the desk has answered before.
        foreach (var some in history.Chunk(500))
            await desk.FeedbackAsync(some.Select(ticket => new FeedbackRequest { Input = LearnerInput.Text(ticket.Text), Label = ticket.Intent }));
        var version = await desk.LearnAsync();
        // end example
        var (began, _) = await ShowAsync(desk, version, clinc);
        var (kept, all) = (0.0, 0.0);
        // begin example
        // Day after day people ask new things. Whoever closes a ticket says what it was about: that is the feedback.
        foreach (var day in days)
        {
            foreach (var some in day.Chunk(500))
            {
                var said = await desk.PredictAsync(new PredictBatchRequest { Inputs = [.. some.Select(ticket => LearnerInput.Text(ticket.Text))] });
                await desk.FeedbackAsync(some.Zip(said.Predictions, (ticket, answer) => new FeedbackRequest
                {
                    PredictionId = answer.PredictionId,
                    Label = ticket.Intent, // an intent never seen before makes the model grow
                }));
            }
            version = await desk.LearnAsync();
            // end example
            (kept, all) = await ShowAsync(desk, version, clinc);
            // begin example
        }
        // end example
        var test = clinc.Tickets("test", [.. s_first, .. s_later]);
        var (strange, others) = (UnknownOf(await PredictAsync(desk, clinc.OutOfScope)), UnknownOf(await PredictAsync(desk, test)));
        output.WriteLine($"called unknown: {strange:P1} of what is out of scope, {others:P1} of the rest");
        var atOnce = await AccuracyAsync(await AtOnceAsync(engram, clinc.Tickets("train", [.. s_first, .. s_later])), test);
        output.WriteLine($"learnt at once: {atOnce:P1}");

        Assert.True(began > 0.88 && kept > began - 0.06, $"{began}, {kept}");
        Assert.InRange(all, 0.87, 1);
        Assert.Equal(atOnce, all, 0.01);
        Assert.True(others < 0.04 && strange > 5 * others, $"{others}, {strange}");
    }

    [Fact]
    public void The_guide_shows_the_example_that_runs_here() =>
        Examples.AreShown("docs/guides/support-tickets.md", "tests/Engram.Server.Tests/Web/SupportTicketTests.cs");

    // A line of the guide's table; the accuracy on the first two domains, and on all learnt so far.
    private async Task<(double First, double All)> ShowAsync(LearnerClient desk, VersionInfo? version, Clinc150 clinc)
    {
        Assert.NotNull(version);
        Assert.True(version.State == VersionState.Published, version.Reason);
        var later = s_later[..(version.Version - 1)];
        var first = await AccuracyAsync(desk, clinc.Tickets("test", s_first));
        var all = await AccuracyAsync(desk, clinc.Tickets("test", [.. s_first, .. later]));
        output.WriteLine($"| {later.LastOrDefault() ?? string.Join(", ", s_first)} | {version.Labels.Count} | {first:P1} | {all:P1} |");
        return (first, all);
    }

    private static async Task<LearnerClient> AtOnceAsync(EngramClient engram, IReadOnlyList<Ticket> tickets)
    {
        var learner = await engram.CreateLearnerAsync(new LearnerSpecification
        {
            Name = "at-once",
            Input = new InputSchema { Kind = InputKind.Text },
            Learning = new LearningPolicy { EverySamples = 0, CpuShare = 1, MaxSamples = tickets.Count },
        }, cancellationToken: Token);
        foreach (var some in tickets.Chunk(500))
            await learner.FeedbackAsync(some.Select(ticket => new FeedbackRequest { Input = LearnerInput.Text(ticket.Text), Label = ticket.Intent }), Token);
        await learner.LearnAsync(cancellationToken: Token);
        return learner;
    }

    private static double UnknownOf(IReadOnlyList<PredictResponse> said) => said.Average(one => one.Unknown ? 1.0 : 0);

    private static async Task<double> AccuracyAsync(LearnerClient learner, IReadOnlyList<Ticket> tickets) =>
        (await PredictAsync(learner, tickets)).Zip(tickets).Average(pair => pair.First.Label == pair.Second.Intent ? 1.0 : 0);

    private static async Task<IReadOnlyList<PredictResponse>> PredictAsync(LearnerClient learner, IReadOnlyList<Ticket> tickets)
    {
        var said = new List<PredictResponse>();
        foreach (var some in tickets.Chunk(500))
            said.AddRange((await learner.PredictAsync(new PredictBatchRequest { Inputs = [.. some.Select(ticket => LearnerInput.Text(ticket.Text))] }, Token)).Predictions);
        return said;
    }
}
