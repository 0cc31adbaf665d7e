using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class QuadraticPenaltyMethodsTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(0.6)]
    public void Ewc_gradient_is_the_sum_over_experiences_of_lambda_Fisher_times_distance(double? gamma)
    {
        var problems = Enumerable.Range(1, 3).Select(seed => new TinyProblem(seed)).ToArray();
        const double lambda = 20;
        var spy = new Spy();
        using var learner = TinyProblem.Learner(3,
            new ElasticWeightConsolidation(new EwcOptions
            {
                Lambda = lambda,
                Gamma = gamma,
                FisherSamples = null,
                Labels = FisherLabels.Exact,
            }), spy);
        var (fishers, anchors) = (new List<double[]>(), new List<double[]>());
        for (var e = 0; e < 3; e++)
        {
            learner.Study(problems[e].Experience(e));
            anchors.Add(TinyProblem.Values(learner.Context.Arena.Values));
            fishers.Add(ExactFisher(problems[e], anchors[e]));
        }
        foreach (var (theta, gradient) in spy.Steps.Skip(6)) // the third experience: two penalties
        {
            var expected = TinyProblem.Gradient(problems[2].MeanLoss, theta);
            for (var k = 0; k < theta.Length; k++)
            {
                expected[k] += gamma is null
                    ? lambda * Enumerable.Range(0, 2).Sum(e => fishers[e][k] * (theta[k] - anchors[e][k]))
                    : lambda * (gamma.Value * fishers[0][k] + fishers[1][k]) * (theta[k] - anchors[1][k]);
            }
            TinyProblem.AssertClose(expected, gradient, 1e-5);
        }
    }

    [Fact]
    public void Si_follows_the_path_integral_computed_by_hand()
    {
        var problems = new[] { new TinyProblem(1), new TinyProblem(2) };
        const double c = 0.7, xi = 0.01;
        var si = new SynapticIntelligence(new SiOptions { C = c, Xi = xi });
        var spy = new Spy();
        using var learner = TinyProblem.Learner(5, si, spy);
        double[]? theta = null, omega = null, anchor = null;
        for (var e = 0; e < 2; e++)
        {
            learner.Study(problems[e].Experience(e));
            theta ??= spy.Starts[0];
            var n = theta.Length;
            omega ??= new double[n];
            var (path, start) = (new double[n], (double[])theta.Clone());
            for (var t = 0; t < 5; t++)
            {
                var g = TinyProblem.Gradient(problems[e].MeanLoss, theta);
                for (var k = 0; k < n; k++)
                {
                    var total = g[k] + (anchor is null ? 0 : 2 * c * omega[k] * (theta[k] - anchor[k]));
                    var delta = -TinyProblem.LearningRate * total;
                    path[k] -= g[k] * delta;
                    theta[k] += delta;
                }
            }
            for (var k = 0; k < n; k++)
                omega[k] = Math.Max(0, omega[k] + path[k] / (Math.Pow(theta[k] - start[k], 2) + xi));
            anchor = (double[])theta.Clone();
            TinyProblem.AssertClose(omega, TinyProblem.Values(si.Penalty.Importance!), 1e-4);
            TinyProblem.AssertClose(anchor, TinyProblem.Values(si.Penalty.Anchor!), 1e-5);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mas_importance_is_the_mean_absolute_numeric_gradient_of_the_squared_norm(bool vectorised)
    {
        var problem = new TinyProblem(4);
        using var learner = TinyProblem.Learner(2);
        learner.Study(problem.Experience(0));
        var theta = TinyProblem.Values(learner.Context.Arena.Values);
        using var importance = MemoryAwareSynapses.Importance(learner.Context, null, vectorised);
        TinyProblem.AssertClose(MasByHand(problem, theta), TinyProblem.Values(importance), 1e-5);
    }

    [Fact]
    public void Mas_sums_importances_and_pulls_with_twice_lambda()
    {
        var problems = Enumerable.Range(1, 3).Select(seed => new TinyProblem(seed)).ToArray();
        const double lambda = 0.3;
        var spy = new Spy();
        using var learner = TinyProblem.Learner(3, new MemoryAwareSynapses(new MasOptions { Lambda = lambda }), spy);
        var omega = new double[27];
        double[] anchor = [];
        for (var e = 0; e < 2; e++)
        {
            learner.Study(problems[e].Experience(e));
            anchor = TinyProblem.Values(learner.Context.Arena.Values);
            omega = [.. omega.Zip(MasByHand(problems[e], anchor), (a, b) => a + b)];
        }
        learner.Study(problems[2].Experience(2));
        var (theta, gradient) = spy.Steps[^1];
        var expected = TinyProblem.Gradient(problems[2].MeanLoss, theta);
        for (var k = 0; k < theta.Length; k++) expected[k] += 2 * lambda * omega[k] * (theta[k] - anchor[k]);
        TinyProblem.AssertClose(expected, gradient, 1e-5);
    }

    [Fact]
    public void Rwalk_follows_Fisher_and_score_computed_by_hand()
    {
        var problems = new[] { new TinyProblem(1), new TinyProblem(2) };
        const double lambda = 0.2, alpha = 0.9, epsilon = 0.01;
        const int interval = 2, steps = 5;
        var walk = new RiemannianWalk(
            new RWalkOptions { Lambda = lambda, Alpha = alpha, Interval = interval, Epsilon = epsilon });
        var spy = new Spy();
        using var learner = TinyProblem.Learner(steps, walk, spy);
        double[]? theta = null, fisher = null, score = null, importance = null, anchor = null;
        for (var e = 0; e < 2; e++)
        {
            learner.Study(problems[e].Experience(e));
            theta ??= spy.Starts[0];
            var n = theta.Length;
            var (path, squares, walked, from) = (new double[n], new double[n], new double[n], (double[])theta.Clone());
            var since = 0;
            for (var t = 0; t < steps; t++)
            {
                var g = TinyProblem.Gradient(problems[e].MeanLoss, theta);
                for (var k = 0; k < n; k++)
                {
                    var total = g[k] + (importance is null ? 0 : 2 * lambda * importance[k] * (theta[k] - anchor![k]));
                    var delta = -TinyProblem.LearningRate * total;
                    path[k] -= g[k] * delta;
                    squares[k] += g[k] * g[k];
                    theta[k] += delta;
                }
                if (++since < interval && t < steps - 1) continue;
                var newest = squares.Select(sum => sum / since).ToArray();
                fisher = fisher is null ? newest : [.. fisher.Zip(newest, (old, now) => alpha * now + (1 - alpha) * old)];
                for (var k = 0; k < n; k++)
                    walked[k] += path[k] / (0.5 * fisher[k] * Math.Pow(theta[k] - from[k], 2) + epsilon);
                (path, squares, from, since) = (new double[n], new double[n], (double[])theta.Clone(), 0);
            }
            double[] positive = [.. walked.Select(value => Math.Max(0, value))];
            score = score is null ? positive : [.. score.Zip(positive, (old, now) => (old + now) / 2)];
            importance = [.. fisher!.Zip(score, (f, s) => f / fisher!.Max() + s / score.Max())];
            anchor = (double[])theta.Clone();
            TinyProblem.AssertClose(importance, TinyProblem.Values(walk.Penalty.Importance!), 1e-4);
            TinyProblem.AssertClose(anchor, TinyProblem.Values(walk.Penalty.Anchor!), 1e-5);
        }
    }

    [Theory]
    [InlineData("ewc")]
    [InlineData("online-ewc")]
    [InlineData("si")]
    [InlineData("mas")]
    [InlineData("rwalk")]
    public void The_penalty_is_active_and_its_memory_does_not_grow_with_experiences(string name)
    {
        var mechanism = Strategies.Named(name).Create(new StrategyBudget()).Single();
        using var learner = TinyProblem.Learner(1e-3, 5, mechanism); // λ = 1,000 would overshoot at a larger rate
        using var naive = TinyProblem.Learner(1e-3, 5);
        var bytes = new List<long>();
        for (var e = 0; e < 4; e++)
        {
            learner.Study(new TinyProblem(e).Experience(e));
            naive.Study(new TinyProblem(e).Experience(e));
            bytes.Add(mechanism.MemoryBytes);
            Assert.Equal(e == 0, learner.Context.Arena.Values.Equals(naive.Context.Arena.Values));
        }
        Assert.All(bytes, held => Assert.Equal(bytes[0], held));
        var penalty = (QuadraticPenalty)mechanism.GetType().GetProperty("Penalty")!.GetValue(mechanism)!;
        using (no_grad()) learner.Context.Arena.Values.add_(0.1);
        Assert.True(penalty.Value(learner.Context.Arena) > 0);
        Assert.True(penalty.Importance!.min().item<float>() >= 0);
    }

    [Theory]
    [InlineData("ewc")]
    [InlineData("online-ewc")]
    [InlineData("si")]
    [InlineData("mas")]
    [InlineData("rwalk")]
    [InlineData("gem")]
    public void State_saved_in_mid_experience_and_loaded_goes_on_bit_by_bit(string name)
    {
        var state = new MechanismState();
        var whole = Run(name, (mechanism, _) =>
        {
            mechanism.Save(state);
            foreach (var (key, held) in state.Tensors.ToArray()) state.Tensors[key] = held.clone();
        });
        var resumed = Run(name, (mechanism, context) =>
        {
            if (name != "gem") mechanism.Dispose(); // nothing but the saved state is left
            mechanism.Load(context, state);
        });
        Assert.Equal(whole, resumed);
    }

    public static TheoryData<string, OptimizerOptions> Paths()
    {
        var all = new TheoryData<string, OptimizerOptions>();
        foreach (var name in new[] { "si", "rwalk" })
            foreach (var optimizer in new OptimizerOptions[]
                { new AdamOptions { WeightDecay = 0.01 }, new SgdOptions { LearningRate = 0.1 }, new SgdOptions { LearningRate = 0.1, Momentum = 0.9 } })
                all.Add(name, optimizer);
        return all;
    }

    // The spy asks for the gradient before the optimiser's step; 27 parameters are no whole number of vectors.
    [Theory]
    [MemberData(nameof(Paths))]
    public void A_path_that_goes_along_with_the_optimiser_is_bit_by_bit_the_one_around_it(string name, OptimizerOptions optimizer)
    {
        var (around, along) = (Learnt(new Spy()), Learnt());
        Assert.Equal(around.Values, along.Values);
        Assert.Equal(around.Importance, along.Importance);
        Assert.Equal(around.Bytes, along.Bytes);

        (double[] Values, double[] Importance, long Bytes) Learnt(params RetentionMechanism[] others) => LearntWith(name, optimizer, others);
    }

    [Theory]
    [InlineData("si")]
    [InlineData("rwalk")]
    public void A_path_goes_around_an_optimiser_of_ones_own(string name)
    {
        var (ours, own) = (LearntWith(name, new SgdOptions { LearningRate = 0.1 }), LearntWith(name, new OwnDescent { LearningRate = 0.1 }));
        Assert.Equal(ours.Values, own.Values);
        Assert.Equal(ours.Importance, own.Importance);
    }

    private static (double[] Values, double[] Importance, long Bytes) LearntWith(string name, OptimizerOptions optimizer, params RetentionMechanism[] others)
    {
        var mechanism = (WeightPenalty)Strategies.Named(name).Create(new StrategyBudget()).Single();
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(TinyProblem.Inputs, TinyProblem.Hidden)),
            new LearnerOptions { Scenario = Scenario.DomainIncremental, BatchSize = TinyProblem.Samples, Epochs = 12, Optimizer = optimizer },
            [mechanism, .. others]);
        for (var e = 0; e < 3; e++) learner.Study(new TinyProblem(e).Experience(e));
        return (TinyProblem.Values(learner.Context.Arena.Values), TinyProblem.Values(mechanism.Penalty.Importance!), mechanism.MemoryBytes);
    }

    private sealed record OwnDescent : OptimizerOptions
    {
        protected override FlatOptimizer Create() => new Descent();

        private sealed class Descent : FlatOptimizer
        {
            protected override void Update(Tensor values, Tensor gradient)
            {
                using var scope = NewDisposeScope();
                values.sub_(gradient.mul(LearningRate));
            }
        }
    }

    [Theory]
    [InlineData("si", false)]
    [InlineData("si", true)]
    [InlineData("rwalk", false)]
    [InlineData("rwalk", true)]
    public void A_step_that_failed_half_way_leaves_nothing_on_the_path(string name, bool asksForGradient)
    {
        Assert.Equal(Learnt(failing: false), Learnt(failing: true));

        double[] Learnt(bool failing)
        {
            var mechanism = (WeightPenalty)Strategies.Named(name).Create(new StrategyBudget()).Single();
            var fault = new FailsOnce { IsArmed = failing, AsksForGradient = asksForGradient };
            using var learner = TinyProblem.Learner(5, mechanism, fault);
            for (var e = 0; e < 3; e++)
            {
                if (failing && e == 1) Assert.Throws<IOException>(() => learner.Study(new TinyProblem(e).Experience(e)));
                learner.Study(new TinyProblem(e).Experience(e));
            }
            Assert.False(fault.IsArmed);
            return [.. TinyProblem.Values(learner.Context.Arena.Values), .. TinyProblem.Values(mechanism.Penalty.Importance!)];
        }
    }

    [Theory]
    [InlineData("ewc", 1)]
    [InlineData("online-ewc", 1)]
    [InlineData("si", 2)]
    [InlineData("mas", 2)]
    [InlineData("rwalk", 2)]
    public void The_pull_of_the_third_experience_is_that_of_the_second_times_two_to_the_growth(string name, double slope)
    {
        const double strength = 0.3, growth = 1.5;
        WeightPenalty mechanism = name switch
        {
            "ewc" => new ElasticWeightConsolidation(new EwcOptions { Lambda = strength, Growth = growth }),
            "online-ewc" => new ElasticWeightConsolidation(new EwcOptions { Lambda = strength, Growth = growth, Gamma = 0.9 }),
            "si" => new SynapticIntelligence(new SiOptions { C = strength, Growth = growth }),
            "mas" => new MemoryAwareSynapses(new MasOptions { Lambda = strength, Growth = growth }),
            _ => new RiemannianWalk(new RWalkOptions { Lambda = strength, Growth = growth }),
        };
        var spy = new Spy();
        using var learner = TinyProblem.Learner(3, mechanism, spy);
        var problems = Enumerable.Range(1, 3).Select(seed => new TinyProblem(seed)).ToArray();
        for (var past = 0; past < 3; past++)
        {
            var (importance, anchor) = past == 0 ? ([], [])
                : (TinyProblem.Values(mechanism.Penalty.Importance!), TinyProblem.Values(mechanism.Penalty.Anchor!));
            learner.Study(problems[past].Experience(past));
            if (past == 0) continue;
            var (theta, gradient) = spy.Steps[^1];
            var expected = TinyProblem.Gradient(problems[past].MeanLoss, theta);
            for (var k = 0; k < theta.Length; k++)
                expected[k] += slope * strength * Math.Pow(past, growth) * importance[k] * (theta[k] - anchor[k]);
            TinyProblem.AssertClose(expected, gradient, 1e-4);
        }
    }

    [Theory]
    [InlineData("ewc")]
    [InlineData("online-ewc")]
    [InlineData("si")]
    [InlineData("mas")]
    [InlineData("rwalk")]
    public void A_penalty_grows_with_the_head_and_new_rows_are_free(string name)
    {
        var mechanism = (WeightPenalty)Strategies.Named(name).Create(new StrategyBudget()).Single();
        var digits = SubsetSource.Balanced(TestData.Mnist.Train, 10);
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 8)), new LearnerOptions { BatchSize = 10 }, [mechanism]);
        learner.Study(new Experience(0, SubsetSource.WithLabels(digits, Label.Numbers(0, 2))));
        var old = learner.Context.Arena.Slots.ToDictionary(slot => slot.Name, slot => (
            Importance: TinyProblem.Values(slot.Of(mechanism.Penalty.Importance!).reshape(-1)),
            Anchor: TinyProblem.Values(slot.Of(mechanism.Penalty.Anchor!).reshape(-1))));
        var grown = new List<(int Old, double[] Importance, double[] Anchor, string Name)>();
        learner.BetweenSteps = () =>
        {
            if (grown.Count > 0) return; // after the first step of the second experience
            grown.AddRange(learner.Context.Arena.Slots.Select(slot => (old[slot.Name].Importance.Length,
                TinyProblem.Values(slot.Of(mechanism.Penalty.Importance!).reshape(-1)),
                TinyProblem.Values(slot.Of(mechanism.Penalty.Anchor!).reshape(-1)), slot.Name)));
        };
        learner.Study(new Experience(1, SubsetSource.WithLabels(digits, Label.Numbers(2, 3))));
        Assert.Contains(grown, slot => slot.Importance.Length == slot.Old * 5 / 2); // two rows have become five
        foreach (var slot in grown)
        {
            Assert.Equal(old[slot.Name].Importance, slot.Importance[..slot.Old]);
            Assert.Equal(old[slot.Name].Anchor, slot.Anchor[..slot.Old]);
            Assert.All(slot.Importance[slot.Old..], value => Assert.Equal(0, value));
        }
    }

    // Between the mechanism before it and the optimiser's step, in the third step of the second experience.
    private sealed class FailsOnce : RetentionMechanism
    {
        public bool IsArmed { get; set; }

        public bool AsksForGradient { get; init; }

        public override string Name => "fails";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        protected internal override void AddGradient(TrainingStep step)
        {
            if (!IsArmed || step.Context.Completed != 1 || step.Number != 2) return;
            if (AsksForGradient) Assert.NotNull(step.Context.Arena.Gradient);
            IsArmed = false;
            throw new IOException("once");
        }
    }

    // Two experiences; the second is interrupted after three of seven steps.
    private static double[] Run(string name, Action<RetentionMechanism, LearningContext> pause)
    {
        var mechanism = Strategies.Named(name).Create(new StrategyBudget()).Single();
        using var cancellation = new CancellationTokenSource();
        var stop = new StopAfter(cancellation, 10);
        using var learner = TinyProblem.Learner(7, mechanism, stop);
        learner.Study(new TinyProblem(1).Experience(0));
        Assert.Throws<OperationCanceledException>(
            () => learner.Learn(new TinyProblem(2).Experience(1), null, cancellation.Token));
        pause(mechanism, learner.Context);
        learner.Study(new TinyProblem(2).Experience(1));
        learner.Study(new TinyProblem(3).Experience(2));
        return TinyProblem.Values(learner.Context.Arena.Values);
    }

    private static double[] ExactFisher(TinyProblem problem, double[] theta)
    {
        var fisher = new double[theta.Length];
        for (var i = 0; i < TinyProblem.Samples; i++)
        {
            var p = problem.Probabilities(theta, i);
            for (var label = 0; label < p.Length; label++)
            {
                var gradient = TinyProblem.Gradient(t => problem.Loss(t, i, label), theta);
                for (var k = 0; k < theta.Length; k++)
                    fisher[k] += p[label] * gradient[k] * gradient[k] / TinyProblem.Samples;
            }
        }
        return fisher;
    }

    private static double[] MasByHand(TinyProblem problem, double[] theta)
    {
        var importance = new double[theta.Length];
        for (var i = 0; i < TinyProblem.Samples; i++)
        {
            var gradient = TinyProblem.Gradient(t => problem.Logits(t, i).Sum(z => z * z), theta);
            for (var k = 0; k < theta.Length; k++) importance[k] += Math.Abs(gradient[k]) / TinyProblem.Samples;
        }
        return importance;
    }

    private sealed class StopAfter(CancellationTokenSource cancellation, int steps) : RetentionMechanism
    {
        private int _done;

        public override string Name => "stop";

        public override Seams Seams => Seams.None;

        public override long MemoryBytes => 0;

        protected internal override void AfterStep(TrainingStep step)
        {
            if (++_done == steps) cancellation.Cancel();
        }
    }
}
