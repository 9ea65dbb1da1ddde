// Apache Velocity 1.7 over the templates and variables of benches/vtl.rs: reads the name of a template and
// milliseconds from each line, evaluates for that long on one thread, and prints nanoseconds of its
// processor time for one evaluation.
// Made for perf/velocity/run.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.velocity.Template;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.runtime.RuntimeInstance;

public class Evaluate {
    public static void main(String[] args) throws Exception {
        RuntimeInstance runtime = new RuntimeInstance();
        runtime.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        runtime.init();
        VelocityContext context = new VelocityContext(variables());
        Map<String, Template> templates = new HashMap<>();
        for (String name : List.of("rename", "loop", "pass")) {
            Template template = new Template();
            template.setRuntimeServices(runtime);
            template.setName(name);
            String text = Files.readString(Path.of(args[0], name + ".vtl"));
            template.setData(runtime.parse(new StringReader(text), name));
            template.initDocument();
            templates.put(name, template);
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] asked = line.split(" ");
            double nanos = round(templates.get(asked[0]), context, Long.parseLong(asked[1]) * 1_000_000);
            System.out.printf("%.1f%n", nanos);
            System.out.flush();
        }
    }

    static double round(Template template, VelocityContext context, long nanos) throws Exception {
        StringWriter out = new StringWriter(4096);
        ThreadMXBean thread = ManagementFactory.getThreadMXBean();
        long start = thread.getCurrentThreadCpuTime();
        long count = 0;
        while (thread.getCurrentThreadCpuTime() - start < nanos) {
            for (int i = 0; i < 1000; i++) {
                out.getBuffer().setLength(0);
                template.merge(context, out);
            }
            count += 1000;
        }
        return (double) (thread.getCurrentThreadCpuTime() - start) / count;
    }

    static Map<String, Object> variables() {
        Map<String, Object> customer = new LinkedHashMap<>();
        customer.put("name", "Ada Lovelace");
        customer.put("email", "ada@example.com");
        Map<String, Object> order = new LinkedHashMap<>();
        order.put("orderId", "o-4711");
        order.put("customer", customer);
        order.put("total", 249.5);
        order.put("currency", "EUR");
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Map<String, Object> item = new LinkedHashMap<>();
            item.put("sku", "sku-000" + i);
            item.put("qty", i);
            items.add(item);
        }
        Map<String, Object> variables = new LinkedHashMap<>();
        variables.put("order", order);
        variables.put("items", items);
        variables.put("body", "{\"message\": \"" + "x".repeat(200) + "\"}");
        return variables;
    }
}
