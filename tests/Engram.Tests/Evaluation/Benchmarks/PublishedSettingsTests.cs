using Engram.Data;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;
using Engram.Memory;
using Engram.Retention;

namespace Engram.Tests.Evaluation.Benchmarks;

/// <summary>The protocols' settings and the papers' figures: a change of any of them is a change of what is verified.</summary>
public class PublishedSettingsTests
{
    private const Scenario Task = Scenario.TaskIncremental;
    private const Scenario Domain = Scenario.DomainIncremental;
    private const Scenario Class = Scenario.ClassIncremental;

    private static readonly Benchmark s_split = BenchmarkList.Named("split-mnist");
    private static readonly TrainAndTest s_digits = new(TestData.Mnist.Train, TestData.Mnist.Test);

    [Theory]
    [InlineData("split-mnist", "none", "84.32 ± 0.99", "60.13 ± 1.66", "19.89 ± 0.02")]
    [InlineData("split-mnist", "joint", "99.67 ± 0.03", "98.59 ± 0.05", "98.17 ± 0.04")]
    [InlineData("split-mnist", "ewc", "99.06 ± 0.15", "63.03 ± 1.58", "20.64 ± 0.52")]
    [InlineData("split-mnist", "si", "–", "–", "–")]
    [InlineData("split-mnist", "lwf", "99.60 ± 0.03", "71.18 ± 1.42", "21.89 ± 0.32")]
    [InlineData("split-mnist", "dgr", "", "95.57", "90.35")]
    [InlineData("split-mnist", "bi-r", "", "97.26", "94.41")]
    [InlineData("split-mnist", "er", "–", "93.75", "88.79")]
    [InlineData("split-mnist", "a-gem", "98.54 ± 0.10", "87.67 ± 1.33", "65.10 ± 3.64")]
    [InlineData("split-mnist", "icarl", "", "", "–")]
    [InlineData("split-mnist", "generative-classifier", "", "", "93.82")]
    [InlineData("permuted-mnist", "none", "–", "–", "–")]
    [InlineData("permuted-mnist", "joint", "–", "–", "–")]
    [InlineData("permuted-mnist", "online-ewc", "95.96", "94.42", "33.88")]
    [InlineData("permuted-mnist", "si", "94.75", "95.33", "29.31")]
    [InlineData("rotated-mnist", "none", "", "–", "")]
    [InlineData("rotated-mnist", "gem", "", "86.00, to 0.50; BWT 5.00, to 0.50", "")]
    public void The_published_figures_are_those_of_the_papers(string benchmark, string name, string task, string domain, string @class)
    {
        var method = BenchmarkList.Named(benchmark).Method(name);
        Assert.Equal([task, domain, @class], new[] { Task, Domain, Class }.Select(scenario => method.Scenarios.Contains(scenario)
            ? Text(method.Published.GetValueOrDefault(scenario))
                + (method.PublishedTransfer.GetValueOrDefault(scenario) is { } transfer ? $"; BWT {Text(transfer)}" : "")
            : ""));

        static string Text(PublishedNumber? number) => number is null ? "–" : FormattableString.Invariant(
            $"{number.Mean:0.00}{(number.Sem is { } sem ? FormattableString.Invariant($" ± {sem:0.00}") : "")}{(number.Rounding > 0 ? FormattableString.Invariant($", to {number.Rounding:0.00}") : "")}");
    }

    [Fact]
    public void No_method_of_a_paper_is_left_out_of_the_figures() => Assert.Equal(
        ["none", "joint", "ewc", "si", "lwf", "dgr", "bi-r", "er", "a-gem", "icarl", "generative-classifier",
            "none", "joint", "online-ewc", "si", "none", "gem"],
        new[] { "split-mnist", "permuted-mnist", "rotated-mnist" }.SelectMany(name => BenchmarkList.Named(name).Methods).Select(method => method.Name));

    [Theory]
    [InlineData("split-mnist", 5, 2000, null, 128, true, 1e-3, "mlp 784-400-400")]
    [InlineData("permuted-mnist", 10, 5000, null, 128, true, 1e-4, "mlp 1024-1000-1000")]
    [InlineData("rotated-mnist", 20, null, 1, 10, false, 0.1, "mlp 784-100-100")]
    public void Contexts_steps_and_models_are_those_of_the_papers(
        string name, int contexts, int? iterations, int? epochs, int batch, bool dropLast, double rate, string model)
    {
        var benchmark = BenchmarkList.Named(name);
        var few = new TrainAndTest(SubsetSource.Balanced(s_digits.Train, 110), s_digits.Test.Balanced(2));
        foreach (var scenario in benchmark.Scenarios)
        {
            var options = benchmark.Training(scenario, 0);
            Assert.Equal((batch, dropLast, false), (options.BatchSize, options.DropLast, options.ResetOptimizer));
            if (iterations is not null) Assert.Equal(iterations, options.Iterations);
            else Assert.Equal(epochs, options.Epochs);
            Assert.Equal(rate, options.Optimizer.LearningRate);
            Assert.Equal(name == "rotated-mnist" ? new SgdOptions { LearningRate = rate } : new AdamOptions { LearningRate = rate }, options.Optimizer);
            Assert.Equal(contexts, benchmark.Stream(few, scenario, 1).Experiences.Count);
        }
        using var built = benchmark.Model(null);
        Assert.Equal(model, built.Backbone.Architecture);
        if (name != "rotated-mnist") return;
        Assert.All(benchmark.Stream(few, Domain, 1).Experiences, context => Assert.Equal(1000, context.Train.Count));
        // Xavier: uniform within ±√(6 / (inputs + outputs)), biases 0.
        foreach (var (_, parameter) in built.Backbone.named_parameters())
            if (parameter.dim() == 1) Assert.Equal(0, parameter.abs().max().item<float>());
            else Assert.InRange(parameter.abs().max().item<float>() / Math.Sqrt(6.0 / parameter.shape.Sum()), 0.99, 1.0001);
    }

    [Theory]
    [InlineData(Task, 1e5, 10, 100, BalanceBy.Class, DistillationWeighting.Sum)]
    [InlineData(Domain, 1e10, 5e4, 200, BalanceBy.Experience, DistillationWeighting.ByPast)]
    [InlineData(Class, 1e9, 5e3, 100, BalanceBy.Class, DistillationWeighting.Sum)]
    public void Mechanisms_have_the_settings_of_the_study(
        Scenario scenario, double lambda, double c, int perGroup, BalanceBy balance, DistillationWeighting weighting)
    {
        Assert.Equal(new EwcOptions { Lambda = lambda, FisherSamples = null, Labels = FisherLabels.Exact }, RecipeOf(s_split, "ewc", scenario));
        Assert.Equal(new SiOptions { C = c }, RecipeOf(s_split, "si", scenario));
        Assert.Equal(new LwfOptions { Temperature = 2, IncludeNewClasses = true, Weighting = weighting }, RecipeOf(s_split, "lwf", scenario));
        Assert.Equal(
            new ReplayOptions { Capacity = 1000, PerGroup = perGroup, Balance = balance, Weighting = ReplayWeighting.ByExperience },
            RecipeOf(s_split, "er", scenario));
        Assert.Equal(new AGemOptions { Capacity = 1000, PerGroup = perGroup, Balance = balance }, RecipeOf(s_split, "a-gem", scenario));
        if (scenario != Task)
            Assert.Equal((ReplayTargets.Hard, ReplayTargets.Soft), (
                ((GenerativeReplayOptions)RecipeOf(s_split, "dgr", scenario)!).Targets, ((BrainInspiredOptions)RecipeOf(s_split, "bi-r", scenario)!).Targets));
        if (scenario == Class) Assert.Equal(100, ((ExemplarOptions)RecipeOf(s_split, "icarl", scenario)!).PerClass);

        var permuted = BenchmarkList.Named("permuted-mnist");
        Assert.Equal(
            new EwcOptions { Lambda = 100, Gamma = 1, FisherSamples = null, Labels = FisherLabels.Exact }, RecipeOf(permuted, "online-ewc", scenario));
        Assert.Equal(new SiOptions { C = scenario == Class ? 5 : 10 }, RecipeOf(permuted, "si", scenario));
        if (scenario == Domain)
            Assert.Equal(new GemOptions { PerExperience = 256, MemoryStrength = 0.5 }, RecipeOf(BenchmarkList.Named("rotated-mnist"), "gem", scenario));
    }

    public static TheoryData<string, Scenario> Cells
    {
        get
        {
            var cells = new TheoryData<string, Scenario>();
            foreach (var method in s_split.Methods.Where(method => !method.AtOnce))
                foreach (var scenario in method.Scenarios) cells.Add(method.Name, scenario);
            return cells;
        }
    }

    [Theory, MemberData(nameof(Cells))]
    public void Outputs_are_all_there_from_the_start_class_incrementally_but_of_Icarl_and_two_domain_incrementally(string method, Scenario scenario)
    {
        var cell = new BenchmarkCell("split-mnist", scenario, method, 1, Iterations: 1, PerClass: 20);
        var (widths, heads) = (new List<int>(), new List<string>());
        s_split.Run(cell, s_split.StreamOf(cell, s_digits), (_, _, learner) =>
        {
            widths.Add(learner.Context.Model.Head.ClassCount);
            heads.Add(learner.Context.Model.Head.Architecture);
        }, null, null, TestContext.Current.CancellationToken);

        Assert.Equal(scenario switch
        {
            Domain => [2, 2, 2, 2, 2],
            Class when method != "icarl" => [10, 10, 10, 10, 10],
            _ => new[] { 2, 4, 6, 8, 10 }, // a task's own two, or those seen so far
        }, widths);
        // Rows begin as PyTorch's layers do; the head beside the generative classifier has no say.
        if (method != "generative-classifier") Assert.All(heads, head => Assert.Equal("linear-uniform", head));
    }

    private static object? RecipeOf(Benchmark benchmark, string method, Scenario scenario)
    {
        using var mechanism = Assert.Single(benchmark.Method(method).Mechanisms(scenario));
        return mechanism.Recipe;
    }
}
