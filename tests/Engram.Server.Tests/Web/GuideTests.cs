using System.Diagnostics;
using System.Text.RegularExpressions;
using Engram.Client;

namespace Engram.Server.Tests.Web;

/// <summary>docs/guides/serving.md says what it says: its commands run, and its C# is the text between the markers below.</summary>
public sealed partial class GuideTests : WebTest
{
    private static string Guide { get; } = Examples.Read("docs/guides/serving.md");

    [Fact]
    public async Task The_commands_of_the_guide_run_in_order()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl") && File.Exists("/bin/bash"), "curl and bash are not here");
        var client = await StartAsync();
        var script = "set -euo pipefail\n" + string.Concat(Commands().Matches(Guide).Select(match => match.Groups[1].Value + "echo\n"));
        var info = new ProcessStartInfo("/bin/bash", ["-s"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        (info.Environment["ENGRAM"], info.Environment["ENGRAM_KEY"]) = (Address.GetLeftPart(UriPartial.Authority), Key);
        using var bash = Process.Start(info)!;
        await bash.StandardInput.WriteAsync(script);
        bash.StandardInput.Close();
        var output = await bash.StandardOutput.ReadToEndAsync(Token);
        await bash.WaitForExitAsync(Token);

        Assert.True(bash.ExitCode == 0, output);
        Assert.Contains("\"label\":\"card\"", output, StringComparison.Ordinal);
        Assert.Equal(1, (await client.Learner("tickets").GetAsync(Token)).Champion);
        Assert.Empty((await client.Learner("tickets").ExportSubjectAsync("customer-7", Token)).Feedback);
    }

    [Fact]
    public async Task The_example_of_the_guide_learns_and_answers()
    {
        await StartAsync();
        var (address, key) = (Address, Key);
        (string, string)[] examples = [("my card is lost", "card"), ("somebody stole my card", "card"), ("where is my transfer", "transfer"), ("the transfer is pending", "transfer")];
        // begin example
        using var engram = new EngramClient(address, key);
        var tickets = await engram.CreateLearnerAsync(new LearnerSpecification
        {
            Name = "support",
            Input = new InputSchema { Kind = InputKind.Text, Features = 512 },
        });
        foreach (var (text, label) in examples)
            await tickets.FeedbackAsync(LearnerInput.Text(text), label);
        await tickets.LearnAsync();

        var answer = await tickets.PredictAsync("they stole my card");
        Console.WriteLine($"{answer.Label} ({answer.Probability:P0}, version {answer.Version})");
        await tickets.FeedbackAsync(answer.PredictionId, "card");
        // end example
        Assert.Equal("card", answer.Label);
    }

    [Fact]
    public void The_guide_shows_the_example_that_runs_here() =>
        Examples.AreShown("docs/guides/serving.md", "tests/Engram.Server.Tests/Web/GuideTests.cs");

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Commands();
}
