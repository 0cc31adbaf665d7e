using System.Globalization;
using Engram.Data;
using Engram.Evaluation.Speed;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;

namespace Engram.Benchmarks;

/// <summary>Two strategies over the five experiences of Split MNIST, A B A B ..., and the ratio of their times.</summary>
internal static class WholeRuns
{
    public static int Compare(string[] arguments)
    {
        if (arguments.Length is not (2 or 3))
        {
            Console.Error.WriteLine($"pairs: {arguments.Length} arguments, expected two of {string.Join(", ", Strategies.All.Select(s => s.Name))}, and rounds");
            return 2;
        }
        var train = Mnist.Load(Folder()).Train;
        Experience[] stream =
            [.. Enumerable.Range(0, 5).Select(e => new Experience(e, SubsetSource.WithLabels(train, Label.Numbers(2 * e, 2))))];
        var rounds = arguments.Length == 3 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 5;
        var ratio = PairedRuns.Compare(() => Seconds(arguments[0], stream), () => Seconds(arguments[1], stream), rounds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{arguments[0]} / {arguments[1]}: {ratio.Min:f2} / {ratio.Median:f2} / {ratio.Max:f2} (min / median / max of {rounds}); {ratio.First:f2} s and {ratio.Second:f2} s"));
        return 0;
    }

    private static double Seconds(string strategy, Experience[] stream)
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 400, 400)), new LearnerOptions { BatchSize = 128 },
            Strategies.Named(strategy).Create(new StrategyBudget()));
        return stream.Sum(experience => learner.Learn(experience).Seconds);
    }

    /// <summary>The folder <c>data/mnist</c> above the program.</summary>
    internal static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "data", "mnist"))) return Path.Combine(folder.FullName, "data", "mnist");
        throw new DirectoryNotFoundException("data/mnist: not found above the program");
    }
}
