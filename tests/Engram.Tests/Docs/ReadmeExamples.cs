using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Tests.Docs;

/// <summary>The README's example is the text between the markers below: it compiles, runs, and does what the README says.</summary>
public class ReadmeExamples
{
    [Fact]
    public void The_example_learns_new_digits_and_keeps_old_ones()
    {
        var mnist = Small(TestData.Mnist);
        // begin example
        var stream = ExperienceStream.ClassIncremental(
            mnist.Train, mnist.Test, [Label.Numbers(0, 5), Label.Numbers(5, 3), Label.Numbers(8, 2)]);

        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 400, 400)),
            new LearnerOptions { BatchSize = 128, Seed = 0 },
            [new Replay(new ReplayOptions { Capacity = 1000 })]);

        foreach (var experience in stream.Experiences)
        {
            learner.Learn(experience);
            var accuracy = stream.Tests.Take(experience.Index + 1).Average(test => Evaluator.Accuracy(learner, test));
            Console.WriteLine($"after {experience.Name}: {accuracy:P1} on all digits so far");
        }
        // end example
        Assert.True(stream.Tests.Average(test => Evaluator.Accuracy(learner, test)) > 0.7);
        Assert.True(Evaluator.Accuracy(learner, stream.Tests[0]) > 0.6);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("README.zh-CN.md")]
    public void The_readme_shows_the_example_that_runs_here(string file)
    {
        var readme = File.ReadAllText(Path.Combine(TestData.Root, file)).ReplaceLineEndings("\n");
        var here = File.ReadAllText(Path.Combine(TestData.Root, "tests", "Engram.Tests", "Docs", "ReadmeExamples.cs"));
        var lines = here.ReplaceLineEndings("\n").Split("// begin example\n")[1].Split("        // end example")[0];
        var example = string.Join('\n', lines.Split('\n').Select(line => line.Length > 8 ? line[8..] : line.Trim()));
        Assert.Contains(example.Trim(), readme, StringComparison.Ordinal);
    }

    private static Mnist Small(Mnist mnist) => new(
        SubsetSource.Balanced(mnist.Train, 2000), mnist.Test.Balanced(50));
}
