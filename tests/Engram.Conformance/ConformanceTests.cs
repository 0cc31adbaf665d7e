using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests;
using TorchSharp;

namespace Engram.Conformance;

/// <summary>The contract that every strategy, and so every mechanism in every mode, keeps. It finds them by itself.</summary>
public class ConformanceTests
{
    public static TheoryData<string> AllStrategies => [.. Cases.All.Select(strategy => strategy.Name)];

    /// <summary>Every strategy in the first scenario it is made for, where saving and going on in all of them would show a difference.</summary>
    public static TheoryData<string, Scenario> InOneScenario =>
        [.. Cases.All.Select(strategy => new TheoryDataRow<string, Scenario>(strategy.Name, SmallStream.ScenarioOf(strategy)))];

    /// <summary>Every strategy in every scenario it is made for.</summary>
    public static TheoryData<string, Scenario> InEveryScenario =>
        [.. Cases.All.SelectMany(strategy => strategy.Scenarios.Select(scenario => (strategy.Name, scenario)))];

    /// <summary>The same, without the one that has no mechanism.</summary>
    public static TheoryData<string, Scenario> WithMechanisms =>
        [.. Cases.All.Where(strategy => strategy.Name != "naive")
            .SelectMany(strategy => strategy.Scenarios.Select(scenario => (strategy.Name, scenario)))];

    [Theory, MemberData(nameof(WithMechanisms))]
    public void Every_mechanism_is_active_without_it_the_same_learner_learns_otherwise(string name, Scenario scenario)
    {
        var strategy = Cases.Named(name);
        var whole = Unequal(Cases.Mechanisms(strategy));
        for (var left = 0; left < Cases.Mechanisms(strategy).Count; left++)
        {
            var mechanisms = Cases.Mechanisms(strategy).ToList();
            var removed = mechanisms[left];
            mechanisms.RemoveAt(left);
            removed.Dispose();
            Assert.False(whole.SequenceEqual(Unequal(mechanisms)), $"{removed.Name} changes nothing in {name}");
        }

        float[] Unequal(IReadOnlyList<RetentionMechanism> mechanisms)
        {
            using var learner = new Learner(() => SmallStream.Model(strategy), SmallBatches(scenario), mechanisms);
            SmallStream.TeachUnequal(learner, scenario);
            return SmallStream.Scores(learner, scenario, 3);
        }
    }

    [Theory, MemberData(nameof(WithMechanisms))]
    public void A_mechanism_changes_something_in_every_seam_it_declares(string name, Scenario scenario)
    {
        var strategy = Cases.Named(name);
        Effects[] all = [.. Cases.Mechanisms(strategy).Select(mechanism => new Effects(mechanism))];
        if (all.Any(effects => effects.Mechanism is AnalyticHead)) Assert.Skip("stands alone: see the check without it");
        using var learner = new Learner(() => SmallStream.Model(strategy), SmallBatches(scenario), Effects.Between(all));
        SmallStream.TeachUnequal(learner, scenario);
        // What is frozen for good shows when tasks come back.
        if (scenario == Scenario.TaskIncremental)
            foreach (var back in new[] { 0, 2 }) learner.Learn(new Experience(3 + back, SmallStream.Experience(scenario, back).Train, back));
        using var scope = torch.NewDisposeScope();
        using var _ = torch.no_grad();
        learner.Context.Model.eval();
        int? task = scenario == Scenario.TaskIncremental ? 0 : null;
        var (features, logits) = learner.Forward(TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 100).Select(i => (long)i)]), task);
        foreach (var effects in all)
        {
            var mechanism = effects.Mechanism;
            if (mechanism.Score(learner.Context, features, logits) is { } scores && !scores.equal(logits).all().item<bool>())
                effects.Seen |= Seams.Prediction;
            // A forward pass by task shows in what is predicted: the check without it.
            var declared = mechanism.Seams & ~Seams.Forward;
            // Generated samples with hard targets have labels like others, and no loss of their own.
            if (mechanism is GenerativeReplay && mechanism.Name == "dgr") declared &= ~Seams.ExtraLoss;
            Assert.Equal(declared, effects.Seen & declared);
            if (mechanism is WeightPenalty) Assert.True(effects.Penalty > 0, $"{mechanism.Name}: its penalty is {effects.Penalty}");
        }
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void Class_ids_stay_stable_and_scores_stay_finite_while_the_head_grows(string name)
    {
        var strategy = Cases.Named(name);
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
        var strategy = Cases.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario));
        for (var index = 0; index < 3; index++)
        {
            var digits = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, [index]), index == 1 ? 1 : 5);
            learner.Learn(new Experience(index, digits, scenario == Scenario.TaskIncremental ? index : null));
        }
        var unseen = new EvaluationSet("unseen", TestData.Mnist.Test.Balanced(2).Samples,
            scenario == Scenario.TaskIncremental ? 0 : null);
        var (truth, predicted) = Evaluator.Predict(learner, unseen);
        Assert.Contains(-1, truth);
        Assert.All(predicted, id => Assert.InRange(id, 0, learner.Context.Classes.Count - 1));
    }

    [Theory, MemberData(nameof(InEveryScenario))]
    public void Classes_and_tasks_that_come_back_are_no_trouble(string name, Scenario scenario)
    {
        var strategy = Cases.Named(name);
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
    public void Several_labels_a_sample_are_learnt_or_refused_by_name_and_then_the_learner_is_as_it_was(string name, Scenario scenario) =>
        LearntOrRefused(name, scenario, TargetKind.MultiLabel);

    [Theory, MemberData(nameof(InOneScenario))]
    public void Values_are_learnt_or_refused_by_name_and_then_the_learner_is_as_it_was(string name, Scenario scenario) =>
        LearntOrRefused(name, scenario, TargetKind.Regression);

    private static void LearntOrRefused(string name, Scenario scenario, TargetKind kind)
    {
        var strategy = Cases.Named(name);
        using var learner = SmallStream.Learner(strategy, SmallStream.Options(scenario));
        try
        {
            for (var index = 0; index < 3; index++) learner.Learn(SmallStream.OfValues(kind, scenario, index));
            var scores = SmallStream.Scores(learner, scenario, 3);
            Assert.DoesNotContain(scores, float.IsNaN);
            for (var output = 0; output < learner.Classes.Count; output++)
                Assert.True(scores.Where((score, i) => i % learner.Classes.Count == output && float.IsFinite(score)).Distinct().Count() > 1,
                    $"{name}: output {learner.Classes.LabelOf(output)} is the same whatever the input");
            foreach (var mechanism in learner.Mechanisms.Where(StoresSamples))
                Assert.True(mechanism.SamplesStored > 0, $"{mechanism.Name}: accepts {kind} targets and stores nothing");
        }
        catch (ArgumentException refusal)
        {
            Assert.StartsWith($"experience: targets are {kind}, expected Classes by ", refusal.Message, StringComparison.Ordinal);
            using var fresh = SmallStream.Learner(strategy, SmallStream.Options(scenario));
            foreach (var one in new[] { learner, fresh }) one.Learn(SmallStream.Experience(scenario, 0));
            Assert.Equal(SmallStream.Scores(fresh, scenario, 1), SmallStream.Scores(learner, scenario, 1));
        }
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void A_thousand_steps_leave_no_tensor_behind(string name)
    {
        var strategy = Cases.Named(name);
        var scenario = SmallStream.ScenarioOf(strategy);
        var options = SmallStream.Options(scenario) with { Epochs = 1, Iterations = 1100, BatchSize = 2 };
        // GDumb counts epochs over its memory: ten of them over 120 samples, one by one, are 1,200 steps.
        if (name == "gdumb") options = options with { Iterations = null, BatchSize = 1 };
        // Closed forms take every sample once, and some memories fill in the first pass only: 1,200 samples, one by one.
        var once = name is "gss" or "er-ace" or "replay, online"
            || Cases.Mechanisms(strategy).Any(mechanism => mechanism is AnalyticHead);
        if (once) options = options with { Iterations = null, BatchSize = 1 };
        // A memory of 600 fills in mid-window and is written over from then on.
        using var learner = SmallStream.Learner(strategy, options, budget: once ? 600 : 120, clock: new EveryStepClock());
        learner.Learn(SmallStream.Experience(scenario, 0, perClass: 24));
        var live = new StepCounts(LiveTensors);
        learner.Learn(SmallStream.Experience(scenario, 1, perClass: once ? 600 : 24), live);
        Assert.Equal(live.At(60), live.At(1060));
    }

    [Theory, MemberData(nameof(InOneScenario))]
    public void The_memory_it_states_is_what_it_holds(string name, Scenario scenario)
    {
        using var learner = SmallStream.Learner(Cases.Named(name), SmallStream.Options(scenario));
        var (steps, without) = (0, BackboneBytes(learner));
        learner.BetweenSteps = () =>
        {
            if (++steps % 3 == 2) Check("in mid-experience");
        };
        foreach (var experience in SmallStream.Experiences(scenario))
        {
            learner.Learn(experience);
            Check("between experiences");
        }

        void Check(string when)
        {
            foreach (var mechanism in learner.Mechanisms)
            {
                var (tensors, numbers) = HeldBytes.Of(mechanism, learner);
                if (mechanism is ProgressiveNetworks) tensors += BackboneBytes(learner) - without; // the columns it added
                Assert.Equal(mechanism.SamplesStored, mechanism.StoredByClass(learner.Context).Sum(stored => stored.Count));
                // It refers to the caller's samples, which it keeps reachable.
                if (mechanism is Cumulative) tensors += mechanism.SamplesStored * 784;
                // Indices and counts beside the samples may be stated or not; a tenth and a few numbers are allowed.
                Assert.True(mechanism.MemoryBytes >= (0.9 * tensors) - 256 && mechanism.MemoryBytes <= (1.1 * (tensors + numbers)) + 256,
                    $"{mechanism.Name} states {mechanism.MemoryBytes} {when}, holds {tensors} in tensors and {numbers} beside them");
                using var scope = torch.NewDisposeScope();
                var state = new MechanismState();
                mechanism.Save(state);
                var saved = state.Tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size());
                Assert.True(saved <= (1.1 * (tensors + numbers)) + 256, $"{mechanism.Name} saves {saved} {when}, holds {tensors}");
            }
        }
    }

    [Theory, MemberData(nameof(AllStrategies))]
    public void A_mechanism_serves_one_learner_only(string name)
    {
        var strategy = Cases.Named(name);
        var mechanisms = Cases.Mechanisms(strategy);
        if (mechanisms.Count == 0) Assert.Skip("no mechanism");
        var options = SmallStream.Options(SmallStream.ScenarioOf(strategy));
        using var learner = new Learner(() => SmallStream.Model(strategy), options, mechanisms);
        var refusal = Assert.Throws<ArgumentException>(() => new Learner(() => SmallStream.Model(strategy), options, mechanisms));
        Assert.Contains("another learner", refusal.Message, StringComparison.Ordinal);
    }

    // So that classes are missing in some batches.
    private static LearnerOptions SmallBatches(Scenario scenario) => SmallStream.Options(scenario) with { BatchSize = 4 };

    private static bool StoresSamples(RetentionMechanism mechanism) =>
        mechanism.GetType().GetProperty(nameof(RetentionMechanism.SamplesStored))!.DeclaringType != typeof(RetentionMechanism);

    private static long BackboneBytes(Learner learner) =>
        learner.Context.Model.Backbone.parameters().Sum(parameter => parameter.numel() * parameter.element_size());

    // Counted per thread, so that finalisers of other tests' tensors do not disturb.
    private static long LiveTensors() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
}
