using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class HeldMemoryTests
{
    public static TheoryData<string> AllStrategies => [.. Strategies.All.Select(strategy => strategy.Name)];

    [Theory]
    [MemberData(nameof(AllStrategies))]
    public void The_memory_stated_is_that_of_the_tensors_held_inside_experiences_and_between(string strategy)
    {
        var (model, options, stream) = LearnerCases.For(strategy);
        using var learner = LearnerCases.New(strategy, model, options);
        foreach (var experience in stream)
        {
            learner.BetweenSteps = () => Compare(learner, $"after step {learner.Cursor!.Step} of experience {experience.Index}");
            learner.Teach(experience);
            Compare(learner, $"after experience {experience.Index}");
        }
    }

    private static void Compare(Learner learner, string when)
    {
        foreach (var mechanism in learner.Mechanisms)
        {
            // Sources are the caller's; columns are the model's; codes are stated without the room for more and their basis.
            if (mechanism is Cumulative or ProgressiveNetworks or CompressedReplay) continue;
            var (stated, held) = (mechanism.MemoryBytes, Held(mechanism, learner.Context));
            // A number or so beside each sample is no tensor, or not counted.
            Assert.True(Math.Abs(stated - held) <= 16 + (0.01 * held), $"{mechanism.Name} {when}: states {stated}, holds {held}");
        }
    }

    // Bytes of the living tensors that a mechanism reaches, without those of the learner's model and gradient.
    private static long Held(RetentionMechanism mechanism, LearningContext context)
    {
        var own = context.Model.NamedTensors().Select(pair => pair.Tensor).Append(context.Arena.Gradient).Select(Place);
        var (bytes, end) = (0L, 0L);
        foreach (var (from, to) in Tensors(mechanism).Where(tensor => tensor.numel() > 0).Select(Place).Except(own).Order())
        {
            // Views share their bytes with what they are views of.
            bytes += Math.Max(0, to - Math.Max(from, end));
            end = Math.Max(end, to);
        }
        return bytes;
    }

    private static (long From, long To) Place(Tensor tensor)
    {
        var bytes = tensor.bytes;
        long from = Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref MemoryMarshal.GetReference(bytes));
        return (from, from + bytes.Length);
    }

    private static IEnumerable<Tensor> Tensors(RetentionMechanism mechanism)
    {
        var (seen, waiting) = (new HashSet<object>(ReferenceEqualityComparer.Instance), new Stack<object?>([mechanism]));
        while (waiting.TryPop(out var next))
        {
            if (next is null or string or LearningContext or TrainingStep or Delegate || next.GetType().IsPrimitive || !seen.Add(next)) continue;
            if (next is Tensor tensor)
            {
                if (!tensor.IsInvalid) yield return tensor;
            }
            else if (next is ParameterArena arena)
            {
                waiting.Push(arena.Values); // a generator's gradient is working space
            }
            else if (next is IEnumerable many and (Array or IList or IDictionary))
            {
                foreach (var item in many) waiting.Push(item);
            }
            else
            {
                for (var type = next.GetType(); type is not null && type != typeof(object); type = type.BaseType)
                    foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
                        if (!field.FieldType.IsPrimitive && !field.FieldType.IsPointer) waiting.Push(field.GetValue(next));
            }
        }
    }
}
