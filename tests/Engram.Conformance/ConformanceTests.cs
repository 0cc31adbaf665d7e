using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests;
using TorchSharp;

namespace Engram.Conformance;

/// <summary>The contract that every strategy, and so every mechanism, keeps. It finds them by itself.</summary>
public class ConformanceTests
{
    public static TheoryData<string> AllStrategies => [.. Strategies.All.Select(strategy => strategy.Name)];

    public static TheoryData<string> KeepingStrategies =>
        [.. Strategies.All.Where(strategy => !strategy.IsYardstick).Select(strategy => strategy.Name)];

    /// <summary>Every strategy in every scenario it is made for.</summary>
    public static TheoryData<string, Scenario> InEveryScenario =>
        [.. Strategies.All.SelectMany(strategy => strategy.Scenarios.Select(scenario => (strategy.Name, scenario)))];

    [Theory, MemberData(nameof(InEveryScenario))]
    public void Saving_loading_and_going_on_equals_not_stopping(string name, Scenario scenario)
    {
        var strategy = Strategies.Named(name);
        var options = SmallStream.Options(scenario);
        using var whole = SmallStream.Learner(strategy, options);
        using var first = SmallStream.Learner(strategy, options);
        for (var index = 0; index < 2; index++)
        {
            whole.Learn(SmallStream.Experience(scenario, index));
            first.Learn(SmallStream.Experience(scenario, index));
        }
        var folder = Directory.CreateTempSubdirectory("engram-conformance-");
        try
        {
            Bundle.Save(first, Path.Combine(folder.FullName, "bundle"));
            using var second = SmallStream.Learner(strategy, options);
            Bundle.Restore(second, Path.Combine(folder.FullName, "bundle"));
            Assert.Equal(SmallStream.Scores(whole, scenario, 2), SmallStream.Scores(second, scenario, 2));

            whole.Learn(SmallStream.Experience(scenario, 2));
            second.Learn(SmallStream.Experience(scenario, 2));
            Assert.Equal(SmallStream.Scores(whole, scenario, 3), SmallStream.Scores(second, scenario, 3));
            foreach (var (kept, loaded) in whole.Mechanisms.Zip(second.Mechanisms))
                Assert.Equal(kept.MemoryBytes, loaded.MemoryBytes);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory, MemberData(nameof(KeepingStrategies))]
    public void It_is_active_it_learns_otherwise_than_naive(string name)
    {
        var strategy = Strategies.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        using var learner = SmallStream.Learner(strategy);
        using var naive = new Learner(
            () => new Models.ContinualModel(new Models.Mlp(784, 32, 32)), SmallStream.Options(strategy));
        foreach (var experience in SmallStream.Experiences(scenario))
        {
            learner.Learn(experience);
            naive.Learn(SmallStream.Experience(scenario, experience.Index));
        }
        Assert.NotEqual(SmallStream.Scores(naive, scenario, 3), SmallStream.Scores(learner, scenario, 3));
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void The_same_seed_gives_identical_results_and_another_seed_does_not(string name)
    {
        var first = Run(name, seed: 3);
        Assert.Equal(first, Run(name, seed: 3));
        Assert.NotEqual(first, Run(name, seed: 4));
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void Class_ids_stay_stable_and_scores_stay_finite_while_the_head_grows(string name)
    {
        var strategy = Strategies.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        using var learner = SmallStream.Learner(strategy);
        var known = new List<ClassKey>();
        foreach (var experience in SmallStream.Experiences(scenario))
        {
            learner.Learn(experience);
            Assert.Equal(known, learner.Context.Classes.Classes.Take(known.Count));
            known = [.. learner.Context.Classes.Classes];
            var scores = SmallStream.Scores(learner, scenario, experience.Index + 1);
            // Another task's outputs are minus infinity by design; nothing may be NaN or plus infinity.
            Assert.DoesNotContain(scores, score => float.IsNaN(score) || float.IsPositiveInfinity(score));
        }
    }

    [Theory, MemberData(nameof(InEveryScenario))]
    public void One_class_one_sample_and_unseen_classes_are_no_trouble(string name, Scenario scenario)
    {
        var strategy = Strategies.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario));
        for (var index = 0; index < 3; index++)
        {
            var digits = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [index]), index == 1 ? 1 : 5);
            learner.Learn(new Experience(index, digits, scenario == Scenario.TaskIncremental ? index : null));
        }
        var unseen = new EvaluationSet("unseen", SubsetSource.Balanced(TestData.Mnist.Test, 2),
            scenario == Scenario.TaskIncremental ? 0 : null);
        var (truth, predicted) = Evaluator.Predict(learner, unseen);
        Assert.Contains(-1, truth);
        Assert.All(predicted, id => Assert.InRange(id, 0, learner.Context.Classes.Count - 1));
    }

    [Theory, MemberData(nameof(InEveryScenario))]
    public void Classes_and_tasks_that_come_back_are_no_trouble(string name, Scenario scenario)
    {
        var strategy = Strategies.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario));
        foreach (var experience in SmallStream.Experiences(scenario)) learner.Learn(experience);
        var known = learner.Classes.Classes.ToArray();
        // Old samples alone, then (where the task is not told) old classes beside a new one.
        learner.Learn(new Experience(3, SmallStream.Experience(scenario, 0).Train, scenario == Scenario.TaskIncremental ? 0 : null));
        Assert.Equal(known, learner.Classes.Classes);
        if (scenario == Scenario.ClassIncremental)
            learner.Learn(new Experience(4, SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(4, 4)), 5)));
        Assert.Equal(known, learner.Classes.Classes.Take(known.Length));
        Assert.DoesNotContain(SmallStream.Scores(learner, scenario, 3), score => float.IsNaN(score) || float.IsPositiveInfinity(score));
    }

    [Theory, MemberData(nameof(InEveryScenario))]
    public void Several_labels_a_sample_are_learnt_or_refused_by_name_and_then_the_learner_is_as_it_was(string name, Scenario scenario)
    {
        var strategy = Strategies.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario));
        try
        {
            for (var index = 0; index < 3; index++) learner.Learn(SmallStream.MultiLabel(scenario, index));
            Assert.DoesNotContain(SmallStream.Scores(learner, scenario, 3), float.IsNaN);
        }
        catch (ArgumentException refusal)
        {
            Assert.StartsWith("experience: targets are MultiLabel, expected Classes by ", refusal.Message, StringComparison.Ordinal);
            using var fresh = SmallStream.Learner(strategy, SmallStream.Options(scenario));
            foreach (var one in new[] { learner, fresh }) one.Learn(SmallStream.Experience(scenario, 0));
            Assert.Equal(SmallStream.Scores(fresh, scenario, 1), SmallStream.Scores(learner, scenario, 1));
        }
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void Cancelling_in_mid_experience_and_going_on_equals_not_stopping(string name)
    {
        var strategy = Strategies.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        var whole = Run(name, seed: 0);

        using var learner = SmallStream.Learner(strategy, clock: new EveryStepClock());
        learner.Learn(SmallStream.Experience(scenario, 0));
        using var cancellation = new CancellationTokenSource();
        var interrupted = SmallStream.Experience(scenario, 1);
        var steps = new StepCounts(() =>
        {
            cancellation.Cancel();
            return 0;
        });
        Assert.Throws<OperationCanceledException>(() => learner.Learn(interrupted, steps, cancellation.Token));
        Assert.Equal(1, learner.Cursor!.Step);
        Assert.DoesNotContain(SmallStream.Scores(learner, scenario, 1), float.IsNaN);
        learner.Learn(interrupted);
        learner.Learn(SmallStream.Experience(scenario, 2));
        Assert.Equal(whole, SmallStream.Scores(learner, scenario, 3));
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void A_thousand_steps_leave_no_tensor_behind(string name)
    {
        var strategy = Strategies.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        var options = SmallStream.Options(strategy) with { Epochs = 1, Iterations = 1100 };
        // GDumb counts epochs over its memory: ten of them over 120 samples, one by one, are 1,200 steps.
        if (name == "gdumb") options = options with { Iterations = null, BatchSize = 1 };
        // Closed forms take every sample once: 1,200 samples, one by one.
        var takesOnce = strategy.Create(new StrategyBudget(30)).Any(mechanism => mechanism is AnalyticHead);
        if (takesOnce) options = options with { Iterations = null, BatchSize = 1 };
        using var learner = SmallStream.Learner(strategy, options, budget: 120, clock: new EveryStepClock());
        learner.Learn(SmallStream.Experience(scenario, 0, perClass: 24));
        var live = new StepCounts(LiveTensors);
        learner.Learn(SmallStream.Experience(scenario, 1, perClass: takesOnce ? 600 : 24), live);
        Assert.Equal(live.At(60), live.At(1060));
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void The_memory_it_states_is_the_state_it_saves(string name)
    {
        var strategy = Strategies.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        using var learner = SmallStream.Learner(strategy);
        foreach (var experience in SmallStream.Experiences(scenario)) learner.Learn(experience);
        foreach (var mechanism in learner.Mechanisms)
        {
            using var scope = torch.NewDisposeScope();
            var state = new MechanismState();
            mechanism.Save(state);
            var held = state.Tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size());
            // Cumulative refers to the caller's sources; progressive networks' columns are saved with the model; XdG's gates
            // are computed from the seed.
            if (mechanism is Cumulative or ProgressiveNetworks or ContextDependentGating) continue;
            // Positions and counters beside the samples are no memory of the past: a tenth is allowed for them.
            Assert.True(Math.Abs(mechanism.MemoryBytes - held) <= (0.1 * held) + 256,
                $"{mechanism.Name} states {mechanism.MemoryBytes}, saves {held}");
        }
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void A_mechanism_serves_one_learner_only(string name)
    {
        var mechanisms = Strategies.Named(name).Create(new StrategyBudget(30) { GeneratorWidths = [16] });
        if (mechanisms.Count == 0) Assert.Skip("no mechanism");
        var options = SmallStream.Options(Strategies.Named(name));
        Models.ContinualModel Model() => new(Strategies.Named(name).Backbone?.Invoke(784) ?? new Models.Mlp(784, 32, 32));
        using var learner = new Learner(Model, options, mechanisms);
        var refusal = Assert.Throws<ArgumentException>(() => new Learner(Model, options, mechanisms));
        Assert.Contains("another learner", refusal.Message, StringComparison.Ordinal);
    }

    // Counted per thread, so that finalisers of other tests' tensors do not disturb.
    private static long LiveTensors() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    private static float[] Run(string name, long seed)
    {
        var strategy = Strategies.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(strategy, seed));
        foreach (var experience in SmallStream.Experiences(scenario)) learner.Learn(experience);
        return SmallStream.Scores(learner, scenario, 3);
    }
}
